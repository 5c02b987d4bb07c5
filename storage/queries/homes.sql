-- App Homes.

-- name: put_home
-- Somebody looks at a page of their Home.
INSERT INTO home (team_id, user_id, page, opened_ms) VALUES (:team, :user, :page, :now)
ON CONFLICT (team_id, user_id) DO UPDATE SET page = excluded.page, opened_ms = excluded.opened_ms;

-- name: home_page
-- The page of their Home that somebody looked at last.
SELECT page FROM home WHERE team_id = :team AND user_id = :user;

-- name: homes_opened
-- Whose Home was opened lately.
SELECT team_id, user_id FROM home WHERE opened_ms >= :since ORDER BY opened_ms DESC;

-- name: redraw_home
-- A Home is to be drawn again; one that waits for it already needs no second.
INSERT INTO outbox (lane, purpose, case_id, to_team, to_user, channel, data, key, created_ms, not_before_ms)
SELECT :lane, 'home', NULL, h.team_id, h.user_id, NULL, '{}', :key, :now, :now
FROM home AS h
WHERE h.team_id = :team AND h.user_id = :user AND h.opened_ms >= :since AND NOT EXISTS (
  SELECT 1 FROM outbox AS o WHERE o.key = :key AND o.key <> '' AND o.done_ms IS NULL AND o.leased_until_ms <= :now
);

-- name: home_waiting
-- Open asks that have reached the person and that they have not answered: decisions first, reviews after, and of each the
-- next to be due first; never a drill.
SELECT r.id, r.requester_team, r.requester_user, r.provider, r.domain, r.subject_team, r.subject_user,
  EXISTS (
    SELECT 1 FROM vote AS y WHERE y.case_id = r.id AND y.answer = 'yes' AND y.user_id = :user AND y.team_id = :team
  ) AS said_yes,
  min(CASE WHEN a.kind IN ('review', 'right') THEN 1 ELSE 0 END) AS later, min(coalesce(a.due_ms, a.expires_ms)) AS until_ms
FROM reached AS p
JOIN ask AS a ON a.case_id = p.case_id AND a.n = p.ask
JOIN request AS r ON r.id = p.case_id
WHERE p.user_id = :user AND p.team_id = :team AND a.state = 'open' AND r.drill = ''
  AND (r.state = 'pending' OR a.kind <> 'approval')
  AND NOT EXISTS (
    SELECT 1 FROM vote AS v
    WHERE v.case_id = a.case_id AND v.ask = a.n AND v.user_id = :user AND v.team_id = :team
  )
GROUP BY r.id, r.requester_team, r.requester_user, r.provider, r.domain, r.subject_team, r.subject_user
ORDER BY later, until_ms, r.id LIMIT :limit;

-- name: home_live
-- Every open grant, the next to end first. CROSS: from what is open, and not from all requests.
SELECT r.id, r.requester_team, r.requester_user, r.domain
FROM access_grant AS g CROSS JOIN request AS r
WHERE r.id = g.case_id AND g.state = 'open' ORDER BY g.not_after_ms, g.case_id;

-- name: home_owing
-- Cases for which a person owes something, the most overdue first. Read from what is owed (CROSS: in this order), which is little,
-- and not from everything that the person ever filed.
SELECT r.id, min(d.due_ms) AS due_ms FROM duty AS d CROSS JOIN request AS r
WHERE r.id = d.case_id AND d.done_ms IS NULL AND d.kind <> 'verification' AND r.requester_team = :team AND r.requester_user = :user
GROUP BY r.id ORDER BY 2, r.id LIMIT :limit;
