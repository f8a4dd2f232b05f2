-- name: declare_closure
INSERT INTO closure (kind, station, area, programme, from_at, until_at, reason, declared_by, declared_remark)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
RETURNING id, kind, station, area, programme, from_at, until_at, reason, declared_by, declared_remark, declared_at;

-- name: is_account
-- Whether the declarer of a closure is an account; before there were accounts it was free text.
SELECT is_account($1);

-- name: approve_closure
UPDATE closure SET approved_by = $2, approved_remark = $3, evidence = $4, approved_at = now() WHERE id = $1;

-- name: withdraw_closure
UPDATE closure SET withdrawn_by = $2, withdrawn_remark = $3, withdrawn_at = now() WHERE id = $1;

-- name: load_closure
SELECT id, kind, station, area, programme, held(from_at) AS from_at, held(until_at) AS until_at, reason,
       declared_by, declared_remark, declared_at, approved_by, approved_remark, approved_at, evidence,
       withdrawn_by, withdrawn_remark, withdrawn_at
FROM closure WHERE id = $1;

-- name: lock_closure
-- Of two people who approve or withdraw at once the second sees what the first did.
SELECT id, kind, station, area, programme, held(from_at) AS from_at, held(until_at) AS until_at, reason,
       declared_by, declared_remark, declared_at, approved_by, approved_remark, approved_at, evidence,
       withdrawn_by, withdrawn_remark, withdrawn_at
FROM closure WHERE id = $1 FOR UPDATE;

-- name: load_closures
-- Closures that were declared to end after $1.
SELECT id, kind, station, area, programme, held(from_at) AS from_at, held(until_at) AS until_at, reason,
       declared_by, declared_remark, declared_at, approved_by, approved_remark, approved_at, evidence,
       withdrawn_by, withdrawn_remark, withdrawn_at
FROM closure WHERE until_at > $1 ORDER BY from_at, id;

-- name: list_closures
-- One page, newest first, before id $1 (null: from the newest). Of a station ($2) also those of its areas and
-- programmes; of an area ($3) those of all that lies in it.
SELECT c.id, c.kind, c.station, c.area, c.programme, held(c.from_at) AS from_at,
       held(c.until_at) AS until_at, c.reason, c.declared_by, c.declared_remark, c.declared_at,
       c.approved_by, c.approved_remark, c.approved_at, c.evidence, c.withdrawn_by, c.withdrawn_remark, c.withdrawn_at
FROM closure c
WHERE ($1::bigint IS NULL OR c.id < $1)
  AND ($2::text IS NULL OR c.station = $2
       OR c.area IN (SELECT unnest(a.path) FROM station s JOIN area a ON a.code = s.area WHERE s.id = $2)
       OR c.programme IN (SELECT programme FROM station_programme WHERE station = $2))
  AND ($3::text IS NULL
       OR c.area IN (SELECT code FROM area WHERE path @> ARRAY[$3::text])
       OR c.station IN (SELECT s.id FROM station s JOIN area a ON a.code = s.area WHERE a.path @> ARRAY[$3::text]))
ORDER BY c.id DESC LIMIT $4;

-- name: station_closures
-- What an import compares with: the closures of stations that were not withdrawn. Who declared one by a file is the remark
-- beside the account; in closures from before accounts it is the declarer.
SELECT station, held(from_at) AS from_at, held(until_at) AS until_at, reason,
       coalesce(declared_remark, declared_by) AS declared_by, approved_by FROM closure
WHERE kind = 'closure' AND withdrawn_at IS NULL AND station = ANY ($1::text[]) ORDER BY id;

-- name: import_closures
INSERT INTO closure (station, from_at, until_at, reason, declared_remark, declared_at, declared_by)
SELECT station, from_at, until_at, reason, remark, $6, $7
FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::text[], $5::text[])
    AS new (station, from_at, until_at, reason, remark)
RETURNING id, kind, station, area, programme, from_at, until_at, reason, declared_by, declared_remark, declared_at;

-- name: change_closures
-- Only closures that are not approved yet. The account that changes a closure declares it.
UPDATE closure AS c SET
    until_at = new.until_at, reason = new.reason, declared_remark = new.remark, declared_at = $6, declared_by = $7
FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::text[], $5::text[])
    AS new (station, from_at, until_at, reason, remark)
WHERE c.kind = 'closure' AND c.withdrawn_at IS NULL AND c.approved_at IS NULL AND c.station = new.station
  AND held(c.from_at) = new.from_at
RETURNING c.id, c.kind, c.station, c.area, c.programme, held(c.from_at) AS from_at, c.until_at, c.reason, c.declared_by,
          c.declared_remark, c.declared_at;

-- name: closures_out_of_bounds
-- Closures that were declared before times had bounds.
SELECT id, from_at::text, until_at::text FROM closure
WHERE withdrawn_at IS NULL AND (from_at <> held(from_at) OR until_at <> held(until_at)) ORDER BY id LIMIT $1;

-- name: has_entry
-- Whether the ledger has an entry of this kind and subject by this account.
SELECT EXISTS (SELECT FROM ledger_entry WHERE subject = $2 AND kind = $1 AND actor = $3);
