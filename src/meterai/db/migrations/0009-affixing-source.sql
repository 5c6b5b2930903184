-- "Has this owner stamped this very document before?" is asked at each reservation, also by owners of millions.
create index affixing_source on affixing (party, source_sha256)
    where state in ('waiting', 'working', 'affixed');
