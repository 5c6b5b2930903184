-- On which road the bytes of a stamped document came about; older affixings do not know.
alter table affixing add column road text check (road in ('fast', 'careful', 'repair'));
create index affixing_road on affixing (ended_at, road) where state = 'affixed';
