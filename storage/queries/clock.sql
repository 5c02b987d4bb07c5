-- The high-water mark of time, and the shift of what waits where an operator accepts a clock that went back.

-- name: time_mark
-- How far time has come.
SELECT high_ms, steady_ms, boot, offset_ms, jump_ms, wished FROM time_mark;

-- name: keep_time_mark
-- Time goes on. A jump that stands is lifted by nobody here.
INSERT INTO time_mark (id, high_ms, steady_ms, boot, offset_ms, jump_ms)
VALUES (1, :high_ms, :steady_ms, :boot, :offset_ms, :jump_ms)
ON CONFLICT (id) DO UPDATE SET
  high_ms = excluded.high_ms, steady_ms = excluded.steady_ms, boot = excluded.boot, offset_ms = excluded.offset_ms,
  jump_ms = coalesce(time_mark.jump_ms, excluded.jump_ms);

-- name: lift_time_jump
-- An operator has accepted the clock as it stands.
UPDATE time_mark SET jump_ms = NULL, wished = 0;

-- name: wish_time_accepted
-- An operator accepts the jump that stands; whoever keeps the time does the rest.
UPDATE time_mark SET wished = 1 WHERE jump_ms IS NOT NULL;

-- name: clock_is_doubted
-- Whether a jump of the clock stands that nobody accepted.
SELECT jump_ms FROM time_mark WHERE jump_ms IS NOT NULL;

-- name: shift_requests
-- Time steps back: what was to end still ends after as long as it was given for, and what is older than a change of policy
-- stays older than it. Whoever judged a case judges it again.
UPDATE request SET version = version + 1, filed_ms = filed_ms + :by_ms, expires_ms = expires_ms + :by_ms
WHERE id IN (SELECT case_id FROM deadline);

-- name: shift_steps
-- … the steps that have not fired,
UPDATE step SET due_ms = due_ms + :by_ms
WHERE state = 'waiting' AND EXISTS (SELECT 1 FROM ask AS a WHERE a.case_id = step.case_id AND a.n = step.ask AND a.state = 'open');

-- name: shift_asks
-- … the open questions,
UPDATE ask SET opened_ms = opened_ms + :by_ms, expires_ms = expires_ms + :by_ms, due_ms = due_ms + :by_ms,
  warn_ms = warn_ms + :by_ms, opens_ms = opens_ms + :by_ms,
  braked_ms = braked_ms + :by_ms, braked_until_ms = braked_until_ms + :by_ms WHERE state = 'open';

-- name: shift_grants
-- … the open grants,
UPDATE access_grant SET opened_ms = opened_ms + :by_ms, not_after_ms = not_after_ms + :by_ms,
  remind_ms = remind_ms + :by_ms WHERE state = 'open';

-- name: shift_absences
-- … absences,
UPDATE absence SET since_ms = since_ms + :by_ms, until_ms = until_ms + :by_ms;

-- name: shift_duties
-- … what is owed,
UPDATE duty SET since_ms = since_ms + :by_ms, due_ms = due_ms + :by_ms, chase_ms = chase_ms + :by_ms WHERE done_ms IS NULL;

-- name: shift_deadlines
-- … the sweeper's looks,
UPDATE deadline SET due_ms = due_ms + :by_ms;

-- name: shift_calls
-- … what executors are told,
UPDATE executor_call SET asked_ms = asked_ms + :by_ms, next_ms = next_ms + :by_ms, alarmed_ms = alarmed_ms + :by_ms,
  not_after_ms = not_after_ms + :by_ms, leased_until_ms = leased_until_ms + :by_ms
WHERE state = 'waiting' OR leased_until_ms > 0;

-- name: shift_inbox
-- … what is to be tried again,
UPDATE inbox SET next_ms = next_ms + :by_ms WHERE done_ms IS NULL;

-- name: shift_outbox
-- … and what is to be said.
UPDATE outbox SET not_before_ms = not_before_ms + :by_ms, leased_until_ms = leased_until_ms + :by_ms
WHERE done_ms IS NULL;
