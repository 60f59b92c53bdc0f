create table app_thing (id int primary key);
