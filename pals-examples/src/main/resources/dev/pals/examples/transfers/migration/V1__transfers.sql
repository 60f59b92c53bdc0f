create table transfers.account (
    id bigint primary key,
    balance bigint not null
);

create table transfers.transfer (
    id bigint primary key,
    chunk bigint not null,
    from_account bigint not null references transfers.account,
    to_account bigint not null references transfers.account,
    amount bigint not null
);

create index on transfers.transfer (chunk);

-- Deliberately without a key: nothing but the locks keeps a transfer from being applied twice.
create table transfers.application (
    transfer_id bigint not null,
    worker integer not null
);

create index on transfers.application (transfer_id);
