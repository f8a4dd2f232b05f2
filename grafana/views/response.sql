-- name: standing
-- Open incidents that need a person, as on the page /response: without an owner, with an ETA that passed, or escalated.
SELECT count(*) FILTER (WHERE i.status = 'open' AND i.assignee IS NULL AND i.parent IS NULL
                          AND (i.detail -> 'quiet') IS DISTINCT FROM 'true') AS unowned,
       count(*) FILTER (WHERE {overdue_since i} <= now()) AS overdue,
       count(*) FILTER (WHERE i.parent IS NULL AND EXISTS (
           SELECT FROM page p JOIN escalation e ON e.incident = p.incident
           WHERE p.incident = i.id AND p.phase = 'escalated' AND p.status <> 'cancelled'
             AND p.round >= coalesce((e.state ->> 'since')::int, 0))) AS escalated
FROM incident i
WHERE i.status <> 'closed' AND {in_area i.area};

-- name: times
-- How long people took, in wall time, of incidents that opened in the time range. The console has the same in open time.
SELECT count(*) AS incidents,
       avg(extract(epoch FROM i.first_acknowledged_at - i.opened_at))::float8 AS acknowledge_mean,
       (percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM i.first_acknowledged_at - i.opened_at)))::float8
           AS acknowledge_median,
       avg(extract(epoch FROM i.ended_at - i.began_at))::float8 AS repair_mean,
       (percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM i.ended_at - i.began_at)))::float8 AS repair_median
FROM incident i
WHERE i.parent IS NULL AND $__timeFilter(i.opened_at) AND (i.detail -> 'quiet') IS DISTINCT FROM 'true' AND {in_area i.area};

-- name: by_day
SELECT date_trunc('day', i.opened_at, '{zone}') AS "time",
       avg(extract(epoch FROM i.first_acknowledged_at - i.opened_at))::float8 AS acknowledge_mean,
       avg(extract(epoch FROM i.ended_at - i.began_at))::float8 AS repair_mean
FROM incident i
WHERE i.parent IS NULL AND $__timeFilter(i.opened_at) AND (i.detail -> 'quiet') IS DISTINCT FROM 'true' AND {in_area i.area}
GROUP BY 1 ORDER BY 1 LIMIT 5000;

-- name: by_kind
SELECT i.kind, count(*) AS incidents,
       avg(extract(epoch FROM i.first_acknowledged_at - i.opened_at))::float8 AS acknowledge_mean,
       avg(extract(epoch FROM i.ended_at - i.began_at))::float8 AS repair_mean
FROM incident i
WHERE i.parent IS NULL AND $__timeFilter(i.opened_at) AND (i.detail -> 'quiet') IS DISTINCT FROM 'true' AND {in_area i.area}
GROUP BY i.kind ORDER BY incidents DESC, i.kind LIMIT 50;

-- name: overdue
-- Incidents of which the promised time is over, the longest first: as a whole, or of a share in which something is down.
SELECT i.id, i.kind, {place i} AS place,
       coalesce(i.assignee, i.acknowledged_remark, i.acknowledged_by) AS owner, since.eta_at AS eta,
       extract(epoch FROM now() - since.eta_at)::float8 AS late
FROM incident i CROSS JOIN LATERAL (SELECT {overdue_since i} AS eta_at) AS since
WHERE i.status <> 'closed' AND since.eta_at <= now() AND {in_area i.area}
ORDER BY since.eta_at, i.id LIMIT 100;

-- name: unowned
-- Incidents without an owner, the oldest first.
SELECT i.id, i.kind, {place i} AS place, i.began_at AS began,
       extract(epoch FROM now() - i.began_at)::float8 AS lasts
FROM incident i
WHERE i.status = 'open' AND i.assignee IS NULL AND i.parent IS NULL AND (i.detail -> 'quiet') IS DISTINCT FROM 'true'
  AND {in_area i.area}
ORDER BY i.began_at, i.id LIMIT 100;

-- name: causes
-- What people found, in repairs of the time range. The area is looked up for each of them.
SELECT r.cause, count(DISTINCT r.incident) AS incidents
FROM (SELECT r.incident, r.cause, (SELECT i.area FROM incident i WHERE i.id = r.incident) AS area
      FROM repair r WHERE $__timeFilter(r.at)) AS r
WHERE {in_area r.area}
GROUP BY r.cause ORDER BY incidents DESC, r.cause LIMIT 50;

-- name: channels
-- Messages to people by channel in the time range.
SELECT m.kind AS channel, count(*) FILTER (WHERE m.status = 'taken') AS sent,
       count(*) FILTER (WHERE m.status IN ('due', 'sending', 'hastened')) AS waiting,
       count(*) FILTER (WHERE m.status IN ('refused', 'given_up')) AS failed
FROM message m WHERE $__timeFilter(m.created_at)
GROUP BY m.kind ORDER BY m.kind LIMIT 50;

-- name: dead_channels
-- Channels of people that do not take messages.
SELECT c.contact, c.channel, c.dead_at AS since, c.reason FROM channel_state c
WHERE c.dead_at IS NOT NULL ORDER BY c.dead_at LIMIT 100;
