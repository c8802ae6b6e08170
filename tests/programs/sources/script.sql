create table t (id integer primary key, name text, value real);
with recursive n (i) as (select 1 union all select i + 1 from n where i < 300)
insert into t select i, 'name' || (i * 37 % 101), i * 1.25 from n;
create index by_name on t (name);
select name, count(*), sum(value) from t group by name order by 2 desc, 1
limit 10;
begin;
delete from t where id % 3 = 0;
rollback;
select count(*), max(value), group_concat(id) from t where name like 'name7%';
explain query plan select * from t where name = 'name1';
drop table t;
vacuum;
