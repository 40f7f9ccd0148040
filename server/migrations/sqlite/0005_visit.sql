-- How a visitor came to a session: the page that led to its first load (empty: none did), and the kind of device they use.
alter table session add column referrer text;
alter table session add column device text;
