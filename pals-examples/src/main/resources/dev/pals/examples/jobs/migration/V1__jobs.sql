create table jobs.job (
    id bigint primary key,
    done boolean not null default false
);

-- In the order of the claim, so that it finds the next jobs without looking at those that are done.
create index on jobs.job (id) where not done;

-- Deliberately without a key: nothing but the locks keeps a job from being done twice.
create table jobs.history (
    job_id bigint not null,
    worker text not null
);
