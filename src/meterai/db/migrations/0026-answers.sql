-- When the provider last answered about a request: one that is away does not make us ask less often.
alter table payment_request add column answered_at timestamptz;
