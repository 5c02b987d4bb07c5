-- How often a system has answered `failed` to a call (bot/background/executor_webhooks.py): each such answer ends a webhook id,
-- and the next attempt has another, because a receiver may repeat the answer that it remembers under an id.
ALTER TABLE executor_call ADD COLUMN refusals INTEGER NOT NULL DEFAULT 0;
