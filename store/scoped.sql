-- What the API sees of each table: rows within the scope of its transaction (0035_scope.sql). Run after the migrations, in one
-- transaction, when a migration ran, when this file changed, or when the roles were not there before; store/grants.sql has the
-- rights. docs/adr says why policies and views.
--
-- A new table has a place here or in `common` of store/grants.sql, or the API has no right on it;
-- tests/integration/store/test_scope_decisions.py fails without a decision.

DROP SCHEMA IF EXISTS scoped CASCADE;
CREATE SCHEMA scoped;

DO $$
DECLARE
    found record;
BEGIN
    FOR found IN SELECT p.polname AS name, p.polrelid::regclass AS owner FROM pg_policy p
                 JOIN pg_class c ON c.oid = p.polrelid
                 WHERE c.relnamespace = current_schema()::regnamespace AND p.polname <> 'reader' LOOP
        EXECUTE format('DROP POLICY %I ON %s', found.name, found.owner);
    END LOOP;
END $$;

-- The stations in the scope; none for the whole. A hash of them is made once a query and table, and only below the whole. The
-- planner takes it for cheap: with a look-up of each station it would never read a table of all states at once, as the board of
-- the country must.
CREATE FUNCTION scoped.scope_stations() RETURNS SETOF text LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 1000 AS $$
    SELECT s.id FROM station s WHERE s.area IN (SELECT code FROM area WHERE path && scope_codes())
$$;
REVOKE EXECUTE ON FUNCTION scoped.scope_stations() FROM PUBLIC;
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION scoped.scope_stations() SET search_path = %I, pg_temp', current_schema());
END $$;

-- Policies: of everything that a query joins to stations row by row. A barrier view would be read whole for that.

DO $$
DECLARE
    -- Evaluated once a query.
    whole constant text := '(SELECT scope_is_whole())';
    within constant text := '%s IN (SELECT code FROM scope_areas() AS code)';
    seen constant text := '%s IN (SELECT id FROM scoped.scope_stations() AS id)';
    of_area constant text := format(within, 'area');
    of_station constant text := format(seen, 'station');
    -- Of incidents and closures of an area or a station.
    place constant text := format('CASE WHEN station IS NULL THEN area IS NOT NULL ELSE %s END', of_station);
    -- An incident of a shard is about the platform, and every account sees it.
    shown constant text := format('CASE WHEN station IS NULL THEN area IS NOT NULL OR kind = ''pipeline_blind'' ELSE %s END',
                                  of_station);
    found record;
BEGIN
    FOR found IN SELECT * FROM (VALUES
        -- (table, what is seen, what may be written; NULL: the same)
        ('area', 'code IN (SELECT code FROM scope_names() AS code)', format(within, 'code')),
        ('station', of_area, NULL),
        ('terminal', of_station, NULL),
        ('station_programme', of_station, NULL),
        ('station_state', of_station, NULL),
        ('terminal_state', of_station, NULL),
        ('suspicion_member', of_station, NULL),
        ('day_figure', of_station, NULL),
        ('day_member', of_station, NULL),
        ('area_day', of_area, NULL),
        ('area_month', of_area, NULL),
        -- That of everything is seen by the whole only.
        ('assessment', format('coalesce(%s, false)', of_area), NULL),
        -- A wider incident is not seen here but in shared_incident, by accounts with a share of it.
        ('incident', format('(area IS NULL OR %s) AND %s', of_area, shown), format('(area IS NULL OR %s) AND %s', of_area, place)),
        ('incident_share', of_area, NULL),
        ('incident_share_ack', of_area, NULL),
        -- An account whose scope has the area of a share writes into the history of the share.
        ('incident_entry', '(SELECT true FROM incident i WHERE i.id = incident)',
                           format('CASE WHEN share IS NULL THEN (SELECT true FROM incident i WHERE i.id = incident '
                                  'AND (i.station IS NOT NULL OR i.area IS NOT NULL)) '
                                  'ELSE %s END', format(within, 'share'))),
        ('notification', '(SELECT true FROM incident i WHERE i.id = incident)', NULL),
        -- A closure is seen as far as it touches the scope.
        ('closure', format('CASE WHEN station IS NOT NULL THEN %s '
                           'WHEN area IS NOT NULL THEN area IN (SELECT code FROM scope_names() AS code) '
                           'ELSE programme IN (SELECT id FROM scope_programmes() AS id) END', of_station),
                    format('CASE WHEN station IS NOT NULL THEN %s WHEN area IS NOT NULL THEN %s ELSE false END',
                           of_station, of_area)),
        -- A photo is visible with its incident, closure or finding, and may be added by an account that may change this
        -- subject.
        ('photo', '(SELECT true FROM incident i WHERE i.id = incident) OR (SELECT true FROM closure c WHERE c.id = closure) '
                         'OR (SELECT true FROM finding f WHERE f.id = finding)',
                  '(SELECT true FROM incident i WHERE i.id = incident AND (i.station IS NOT NULL OR i.area IS NOT NULL)) '
                         'OR (SELECT CASE WHEN c.station IS NOT NULL THEN c.station IN (SELECT id FROM scoped.scope_stations() AS id) '
                         'ELSE c.area IN (SELECT code FROM scope_areas() AS code) END FROM closure c WHERE c.id = closure) '
                         'OR (SELECT true FROM finding f WHERE f.id = finding)'),
        -- What has no area concerns the whole; the routes above the scope are seen, because they apply in it.
        ('contact', of_area, NULL),
        ('contact_channel', '(SELECT true FROM contact c WHERE c.id = contact)', NULL),
        ('duty', of_area, NULL),
        ('duty_substitute', '(SELECT true FROM contact c WHERE c.id = contact) '
                            'AND (SELECT true FROM contact c WHERE c.id = substitute)', NULL),
        ('route', 'area IS NULL OR area IN (SELECT code FROM scope_names() AS code)', of_area),
        ('escalation', '(SELECT true FROM incident i WHERE i.id = incident)', NULL),
        -- Of a wider incident, who is told of the share of a county is seen by the accounts of this county.
        ('share_escalation', format(within, 'share'), NULL),
        ('finding', of_station, NULL),
        ('correction', of_station, NULL),
        ('repair', '(SELECT true FROM incident i WHERE i.id = incident)', NULL),
        ('page', format('(SELECT true FROM incident i WHERE i.id = incident) OR %s', format(within, 'share')), NULL),
        ('message_page', '(SELECT true FROM page p WHERE p.id = page)', NULL),
        ('message', 'EXISTS (SELECT FROM message_page l WHERE l.message = id)', NULL),
        -- A silence above the scope is seen, because it holds the pages of what is in it.
        ('silence', format('CASE WHEN station IS NOT NULL THEN %s '
                           'WHEN area IS NOT NULL THEN area IN (SELECT code FROM scope_names() AS code) '
                           'ELSE EXISTS (SELECT FROM scope_areas()) END', of_station),
                    format('CASE WHEN station IS NOT NULL THEN %s ELSE coalesce(%s, false) END', of_station, of_area)),
        ('target', 'areas && ARRAY(SELECT scope_names())', 'areas <@ ARRAY(SELECT scope_areas())'),
        ('account', 'id = current_setting(''milepost.account'', true) OR NOT whole AND scope_holds_account(id)',
                    'NOT whole AND (id = current_setting(''milepost.account'', true) OR scope_holds_account(id))'),
        ('account_area', format('account = current_setting(''milepost.account'', true) '
                                'OR %s AND scope_holds_account(account)', of_area),
                         format('%s AND scope_holds_account(account)', of_area)),
        ('api_token', 'account = current_setting(''milepost.account'', true) '
                      'OR NOT whole AND areas <@ ARRAY(SELECT scope_areas()) AND scope_holds_account(account)',
                      'NOT whole AND areas <@ ARRAY(SELECT scope_areas()) '
                      'AND (account = current_setting(''milepost.account'', true) OR scope_holds_account(account))')
        ) AS t (name, seen, written)
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', found.name);
        EXECUTE format('CREATE POLICY service ON %I TO milepost_service USING (true) WITH CHECK (true)', found.name);
        IF found.written IS NULL THEN
            EXECUTE format('CREATE POLICY scope ON %I TO milepost_api USING (%s OR (%s)) WITH CHECK (%2$s OR (%3$s))',
                           found.name, whole, found.seen);
        ELSE
            EXECUTE format('CREATE POLICY scope_seen ON %I FOR SELECT TO milepost_api USING (%s OR (%s))',
                           found.name, whole, found.seen);
            EXECUTE format('CREATE POLICY scope_made ON %I FOR INSERT TO milepost_api WITH CHECK (%s OR (%s))',
                           found.name, whole, found.written);
            EXECUTE format('CREATE POLICY scope_changed ON %I FOR UPDATE TO milepost_api USING (%s OR (%s))',
                           found.name, whole, found.written);
            EXECUTE format('CREATE POLICY scope_gone ON %I FOR DELETE TO milepost_api USING (%s OR (%s))',
                           found.name, whole, found.written);
        END IF;
    END LOOP;
END $$;

-- The process that seals the ledger asks who rotates a key. It also keeps the days of all stations.
DO $$
DECLARE
    name text;
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'milepost_audit') THEN
        CREATE POLICY audit ON account FOR SELECT TO milepost_audit USING (true);
        FOREACH name IN ARRAY ARRAY['correction', 'station_state', 'suspicion_member', 'terminal_state'] LOOP
            EXECUTE format('CREATE POLICY audit ON %I FOR SELECT TO milepost_audit USING (true)', name);
        END LOOP;
        FOREACH name IN ARRAY ARRAY['area_day', 'area_month', 'day_figure', 'day_member'] LOOP
            EXECUTE format('CREATE POLICY audit ON %I TO milepost_audit USING (true) WITH CHECK (true)', name);
        END LOOP;
    END IF;
END $$;

SELECT grant_reader();

-- Barrier views: of what is read by a constant (policies are not possible on compressed hypertables), and where only some
-- columns are shown. They run with the rights of their owner, whom no policy concerns.

DO $$
DECLARE
    whole constant text := '(SELECT scope_is_whole())';
    of_station constant text := '(SELECT true FROM station s WHERE s.id = t.station '
        'AND s.area IN (SELECT code FROM scope_areas() AS code))';
    within constant text := '%s IN (SELECT code FROM scope_areas() AS code)';
    -- What an entry of the ledger is about, by its subject: a type and an id.
    name constant text := 'split_part(t.subject, ''/'', 2)';
    number constant text := 'CASE WHEN t.subject ~ ''/[0-9]{1,18}$'' THEN split_part(t.subject, ''/'', 2)::bigint END';
    of_place constant text := format('(SELECT CASE WHEN x.station IS NOT NULL THEN %s ELSE coalesce(%s, false) END '
        'FROM %%I x LEFT JOIN station s ON s.id = x.station WHERE x.id = %%s)',
        format(within, 's.area'), format(within, 'x.area'));
    of_incident constant text := format('%s AND (SELECT i.area IS NULL OR %s FROM incident i WHERE i.id = %%1$s)',
        format(of_place, 'incident', '%1$s'), format(within, 'i.area'));
    station_of constant text := format('(SELECT %s FROM %%I x JOIN station s ON s.id = x.station WHERE x.id = %s)',
        format(within, 's.area'), number);
    of_area constant text := format('(SELECT %s FROM %%I x WHERE x.id = %%s)', format(within, 'x.area'));
    -- Of what concerns no one place (imports, facts of several stations, wider incidents) only the hash is shown.
    of_entry constant text := format('CASE split_part(t.subject, ''/'', 1) WHEN ''ledger'' THEN true '
        'WHEN ''station'' THEN (SELECT true FROM station s WHERE s.id = %1$s AND %2$s) '
        'WHEN ''incident'' THEN %3$s WHEN ''repair'' THEN %4$s '
        'WHEN ''closure'' THEN %5$s WHEN ''silence'' THEN %6$s '
        'WHEN ''finding'' THEN %7$s WHEN ''correction'' THEN %8$s '
        'WHEN ''area_day'' THEN %9$s WHEN ''area_month'' THEN %9$s '
        'WHEN ''assessment'' THEN %14$s '
        'WHEN ''duty'' THEN %10$s WHEN ''contact'' THEN %11$s WHEN ''route'' THEN %12$s WHEN ''substitute'' THEN %13$s '
        'WHEN ''account'' THEN %1$s = current_setting(''milepost.account'', true) OR scope_holds_account(%1$s) '
        'WHEN ''token'' THEN (SELECT a.account = current_setting(''milepost.account'', true) '
        'OR NOT a.whole AND a.areas <@ ARRAY(SELECT scope_areas()) AND scope_holds_account(a.account) '
        'FROM api_token a WHERE a.id = %1$s) ELSE false END',
        name, format(within, 's.area'), format(of_incident, number),
        format(of_incident, format('(SELECT r.incident FROM repair r WHERE r.id = %s)', number)),
        format(of_place, 'closure', number), format(of_place, 'silence', number),
        format(station_of, 'finding'), format(station_of, 'correction'), format(within, name),
        format(of_area, 'duty', number), format(of_area, 'contact', name), format(of_area, 'route', name),
        format('(SELECT %s AND %s FROM duty_substitute x JOIN contact c ON c.id = x.contact '
               'JOIN contact o ON o.id = x.substitute WHERE x.id = %s)',
               format(within, 'c.area'), format(within, 'o.area'), number),
        format(of_area, 'assessment', number));
    found record;
BEGIN
    FOR found IN SELECT * FROM (VALUES
        ('transition', '*', of_station),
        ('health_change', '*', of_station),
        ('health', '*', of_station),
        ('usage', '*', of_station),
        ('health_hour', '*', of_station),
        ('health_day', '*', of_station),
        ('usage_hour', '*', of_station),
        ('usage_day', '*', of_station),
        ('presence', '*', of_station),
        ('inventory', 'ts, station, terminal, resources', of_station),
        ('station_lifecycle', '*', of_station),
        ('shard_move', '*', of_station),
        -- For reports: the history of a station, its area and its programmes, and the rules that may apply to any station,
        -- without the authors.
        ('registry_fact', 'id, kind, subject, effective_at, whole, fields',
            '(SELECT CASE WHEN t.kind IN (''kind_schedule'', ''kind_override'', ''country_override'', ''day_class'', ''succession'') THEN true '
            'WHEN t.kind = ''programme_closure'' THEN t.subject IN (SELECT id FROM scope_programmes() AS id) '
            'WHEN t.kind LIKE ''area%'' THEN t.subject IN (SELECT code FROM scope_names() AS code) '
            'ELSE EXISTS (SELECT FROM station s WHERE s.id = t.subject AND s.area IN (SELECT code FROM scope_areas() AS code)) END)'),
        ('dead_letter', '*', of_station),
        -- Both are small. Below policies the planner would take the look-ups of the second for full scans, in every list.
        ('set_aside', '*', '(SELECT true FROM station s WHERE s.id = CASE '
                           'WHEN t.service = ''judge'' THEN split_part(t.subject, ''/'', 2) '
                           'WHEN t.kind IN (''station'', ''old_days'') THEN t.subject END AND s.area IN (SELECT code FROM scope_areas() AS code))'),
        ('station_aside', '*', of_station),
        ('unregistered', '*', 'false'),
        ('shard_decision', '*', 'false'),
        ('ledger_entry', '*', of_entry),
        ('area_count', '*', 'area IN (SELECT code FROM scope_areas() AS code)'),
        -- The memory names stations.
        ('partition_clock', format('partition, shard, clock, tick_at, judged_at, blind_since, '
                                   'CASE WHEN %s THEN memory ELSE ''{}''::jsonb END AS memory', whole), 'true'),
        -- The numbers are of the whole shard.
        ('suspicion', format('shard, opened_at, instant_from, instant_to, began_at, known_at, '
                             'CASE WHEN %1$s THEN fell ELSE own.members END AS fell, '
                             'CASE WHEN %1$s THEN counted ELSE own.members END AS counted, '
                             'registry, ended_at, ended_by', whole), 'true')
        ) AS t (name, columns, seen)
    LOOP
        EXECUTE format('CREATE VIEW scoped.%I WITH (security_barrier) AS SELECT %s FROM %I t %s WHERE %s OR (%s) %s',
                       found.name, found.columns, found.name,
                       CASE found.name WHEN 'suspicion' THEN format('CROSS JOIN LATERAL ('
                           'SELECT count(*)::int AS members FROM suspicion_member m JOIN station s ON s.id = m.station '
                           'WHERE m.shard = t.shard AND m.opened_at = t.opened_at AND NOT %s '
                           'AND s.area IN (SELECT code FROM scope_areas() AS code)) AS own', whole) ELSE '' END,
                       whole, found.seen,
                       -- Nothing is written down about what lies outside; entries of the ledger are written in any scope.
                       CASE WHEN found.name IN ('station_lifecycle', 'shard_decision')
                            THEN 'WITH CASCADED CHECK OPTION' ELSE '' END);
    END LOOP;
END $$;

-- The same view with the rights of the caller, so that the policies of the tables below it apply. That of the dashboards keeps the
-- rights of the owner.
DO $$
DECLARE
    own constant text := current_schema();
    definition constant text := pg_get_viewdef('station_stand'::regclass);
BEGIN
    PERFORM set_config('search_path', format('scoped, %I', own), true);
    EXECUTE format('CREATE VIEW scoped.station_stand WITH (security_invoker) AS %s', definition);
    PERFORM set_config('search_path', quote_ident(own), true);
END $$;

-- Shares of wider incidents. A scope with the county sees the numbers of its share; a scope of areas below the county sees their
-- part of the numbers, as long as there is one. OFFSET 0: shares are found by area, however many there are of other areas.
CREATE VIEW scoped.seen_share WITH (security_barrier) AS
SELECT incident, area, children, down, acknowledged_at, acknowledged_by, acknowledged_remark, eta_at, assignee, true AS held
FROM incident_share LEFT JOIN incident_share_ack USING (incident, area)
WHERE (SELECT scope_is_whole())
UNION ALL
SELECT s.incident, s.area, s.children, s.down, s.acknowledged_at, s.acknowledged_by, s.acknowledged_remark, s.eta_at, s.assignee, true
FROM scope_areas() AS own (code)
CROSS JOIN LATERAL (SELECT * FROM incident_share LEFT JOIN incident_share_ack USING (incident, area)
                    WHERE area = own.code OFFSET 0) AS s
WHERE NOT (SELECT scope_is_whole())
UNION ALL
SELECT s.incident, s.area, part.children, part.down, s.acknowledged_at, NULL, NULL, s.eta_at, NULL, false
FROM (SELECT code FROM scope_names() AS code WHERE NOT (SELECT scope_is_whole())
      EXCEPT SELECT code FROM scope_areas() AS code) AS above
CROSS JOIN LATERAL (SELECT * FROM incident_share LEFT JOIN incident_share_ack USING (incident, area)
                    WHERE area = above.code OFFSET 0) AS s
CROSS JOIN LATERAL (
    SELECT count(DISTINCT child.thing)::int AS children, (count(DISTINCT child.thing) FILTER (WHERE child.down))::int AS down
    FROM (SELECT CASE WHEN c.kind = 'health' THEN c.key ELSE c.station END AS thing,
                 c.status <> 'closed' OR c.reopen_at IS NOT NULL AS down
          FROM scope_areas() AS own (code) JOIN station t ON t.area = own.code
          JOIN incident c ON c.parent = s.incident AND c.station = t.id
          UNION ALL
          SELECT c.key, c.status <> 'closed' OR c.reopen_at IS NOT NULL
          FROM incident p JOIN incident c ON c.parent = p.id AND c.station IS NULL
          WHERE p.id = s.incident AND p.kind = 'blind_spot' AND c.area IN (SELECT code FROM scope_areas() AS code)
         ) AS child OFFSET 0) AS part
WHERE part.children > 0;

-- Incidents that reach beyond the scope, as their shares in it show them: nothing of other counties, of the sum, or of what
-- people said about the whole. `held`: the scope holds a share of it completely.
CREATE VIEW scoped.shared_incident WITH (security_barrier) AS
WITH own AS MATERIALIZED (
    SELECT incident, CASE WHEN count(*) = 1 THEN min(area) END AS share, sum(children)::int AS children, sum(down)::int AS down,
           bool_or(held) AS held,
           CASE WHEN bool_and(acknowledged_at IS NOT NULL) THEN max(acknowledged_at) END AS acknowledged_at,
           CASE WHEN bool_and(acknowledged_at IS NOT NULL)
                THEN (array_agg(acknowledged_by ORDER BY acknowledged_at DESC))[1] END AS acknowledged_by,
           CASE WHEN bool_and(acknowledged_at IS NOT NULL)
                THEN (array_agg(acknowledged_remark ORDER BY acknowledged_at DESC))[1] END AS acknowledged_remark,
           CASE WHEN bool_and(acknowledged_at IS NOT NULL) THEN min(eta_at) END AS eta_at,
           (array_agg(assignee ORDER BY acknowledged_at DESC NULLS LAST))[1] AS assignee
    FROM scoped.seen_share WHERE NOT (SELECT scope_is_whole()) GROUP BY incident
)
SELECT i.id, i.kind, i.area,
       CASE WHEN i.status = 'closed' THEN 'closed' WHEN own.acknowledged_at IS NOT NULL THEN 'acknowledged'
            ELSE 'open' END AS status,
       i.began_at, i.opened_at, own.acknowledged_at, own.acknowledged_by, own.acknowledged_remark,
       own.eta_at, own.assignee, i.closed_at, i.ended_at, i.reopen_at,
       larger.incident AS parent,
       (SELECT coalesce(jsonb_object_agg(d.key, d.value), '{}') FROM jsonb_each(i.detail) AS d
        WHERE d.key = ANY ('{cause,name,instant,kind,since,clears,rule,subject,severity,ended_by,quiet}')) AS detail,
       own.share, own.children, own.down, own.held
FROM own JOIN incident i ON i.id = own.incident LEFT JOIN own AS larger ON larger.incident = i.parent
WHERE (i.area IN (SELECT code FROM scope_areas() AS code)) IS NOT TRUE;

-- What happened to such an incident, as far as it concerns the scope: that it opened and closed, and what people wrote about
-- the shares that the scope holds completely: what the county writes about its share may name stations outside of a township.
CREATE VIEW scoped.shared_entry WITH (security_barrier) AS
SELECT e.* FROM incident_entry e
WHERE NOT (SELECT scope_is_whole()) AND e.incident IN (SELECT id FROM scoped.shared_incident)
  AND CASE WHEN e.share IS NULL THEN e.actor = 'milepost' AND e.action IN ('opened', 'reopened', 'closed')
           ELSE (e.incident, e.share) IN (SELECT incident, area FROM scoped.seen_share WHERE held) END;

-- What runs with the rights of the owner asks for the scope first.

CREATE FUNCTION scoped.is_in_scope(wanted text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT EXISTS (SELECT FROM station s WHERE s.id = wanted
                   AND (scope_is_whole() OR s.area IN (SELECT code FROM scope_areas() AS code)))
$$;

CREATE FUNCTION scoped.station_has_history(wanted text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT scoped.is_in_scope(wanted) AND station_has_history(wanted)
$$;

CREATE FUNCTION scoped.remove_untouched_station(wanted text) RETURNS boolean LANGUAGE sql SECURITY DEFINER AS $$
    SELECT scoped.is_in_scope(wanted) AND remove_untouched_station(wanted)
$$;

CREATE FUNCTION scoped.give_contact_account(wanted text, by_account text)
RETURNS TABLE (id text, login text, name text, area text) LANGUAGE sql SECURITY DEFINER AS $$
    SELECT made.* FROM contact c CROSS JOIN LATERAL give_contact_account(c.id, by_account) AS made
    WHERE c.id = wanted AND (scope_is_whole() OR c.area IN (SELECT code FROM scope_areas() AS code))
$$;

-- The id of the entry so many places before another one, in any scope: in a small one a page looks through many foreign entries.
CREATE FUNCTION scoped.entry_below(id_above bigint, places int) RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT id FROM ledger_entry WHERE id < id_above ORDER BY id DESC OFFSET places LIMIT 1
$$;

CREATE FUNCTION scoped.is_beyond_account(wanted_account text, wanted_area text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT is_beyond_account(wanted_account, wanted_area) WHERE scope_is_whole() OR scope_holds_account(wanted_account)
$$;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['is_beyond_account(text, text)', 'entry_below(bigint, int)', 'is_in_scope(text)', 'station_has_history(text)', 'remove_untouched_station(text)',
                            'give_contact_account(text, text)'] LOOP
        EXECUTE format('ALTER FUNCTION scoped.%s SET search_path = %I, pg_temp', name, current_schema());
        EXECUTE format('REVOKE EXECUTE ON FUNCTION scoped.%s FROM PUBLIC', name);
    END LOOP;
END $$;
