import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'

import { readStatement } from '#dist/instrumentation/sql-statement.js'

type Dialect = Parameters<typeof readStatement>[1]

describe('what is shown of an SQL statement', () => {
  const text = (sql: string, dialect: Dialect = 'postgresql') => readStatement(sql, dialect).text
  const summary = (sql: string, dialect: Dialect = 'postgresql') => readStatement(sql, dialect).summary

  it('has no literal in it', () => {
    assert.equal(
      text("select * from t where a = 'x' and b = 1.5e-3 and c > .5"),
      'select * from t where a = ? and b = ? and c > ?',
    )
    assert.equal(text("select 'it''s', E'a\\'b', U&'x', B'01', X'ff'"), 'select ?, ?, ?, ?, ?')
    assert.equal(text('select $$a$$, $tag$b $$ c$tag$, $1'), 'select ?, ?, $1')
    assert.equal(text("select 'C:\\', 'secret'"), 'select ?, ?')
    assert.equal(text(`select "a" from "b" where c = 'd'`), 'select "a" from "b" where c = ?')
    assert.equal(text("select 'it\\'s secret'", 'mysql'), 'select ?')
    assert.equal(
      text('select "secret", `name`, 0x1F, _utf8\'secret\' from t', 'mysql'),
      'select ?, `name`, ?, ? from t',
    )
    assert.equal(text("select 'never closed secret"), 'select ?')
    assert.equal(text('select $$never closed secret'), 'select ?')
  })

  it('has no comment in it', () => {
    assert.equal(text('select 1 -- secret\nfrom t'), 'select ? from t')
    assert.equal(text('/* a /* secret */ secret */ select a/**/from t'), 'select a from t')
    assert.equal(text('select a # secret\nfrom t', 'mysql'), 'select a from t')
    assert.equal(text('select a--1 from t', 'mysql'), 'select a--? from t')
    assert.equal(text('select a /*! secret */ from t', 'mysql'), 'select a from t')
    assert.equal(text('select a /* secret'), 'select a')
  })

  it('is as short for many values as for few', () => {
    assert.equal(
      text('insert into t (a, b) values (1, 2), (3, 4), (5, 6)'),
      'insert into t (a, b) values (?)',
    )
    assert.equal(text('select a from t where b in (1, 2, 3)'), 'select a from t where b in (?)')
    assert.equal(text('select a from t where b in ($1, $2)'), 'select a from t where b in ($1, $2)')
    assert.ok(text(`select ${'column_name, '.repeat(10_000)} 'secret'`).length <= 4096)
    assert.ok(!text(`select '${'s'.repeat(20_000)}', 'secret'`).includes('s'.repeat(10)))
  })

  it('is summed up by operations and what they are done to', () => {
    const rows: [string, string][] = [
      ['SELECT * FROM songs JOIN artists ON songs.artist = artists.id', 'SELECT songs artists'],
      ['select * from a, b c, "Odd Name" where x = 1', 'SELECT a b Odd Name'],
      ['insert into shipping_details select order_id from orders', 'INSERT shipping_details SELECT orders'],
      ['INSERT INTO public.orders(id) VALUES (1) ON CONFLICT DO UPDATE SET id = 2', 'INSERT public.orders'],
      ['update only "users" set a = 1 from other where x = y', 'UPDATE users other'],
      ['delete from t using u where t.a = u.a returning *', 'DELETE t u'],
      ['with recent as (select * from orders) select * from recent join x on true', 'SELECT orders SELECT x'],
      ['select * from (select * from inner_table) q', 'SELECT SELECT inner_table'],
      [
        'select extract(year from created), substring(a from 2) from t where a is distinct from b',
        'SELECT t',
      ],
      ['select * from t for update', 'SELECT t'],
      ['select 1', 'SELECT'],
      ['begin', 'BEGIN'],
      ['create table if not exists t (a int references u on delete cascade)', 'CREATE TABLE t'],
      ['create unique index concurrently i on t (a)', 'CREATE INDEX i'],
      ['truncate table t', 'TRUNCATE TABLE t'],
      ['call do_it(1)', 'CALL do_it'],
      ['explain select * from t', 'EXPLAIN SELECT t'],
      ['select 1; delete from t', 'SELECT DELETE t'],
      ['', ''],
      ["'", ''],
      ['((((', ''],
    ]
    for (const [sql, expected] of rows) assert.equal(summary(sql), expected, sql)
    assert.equal(summary('replace into `t` values (1)', 'mysql'), 'REPLACE t')
    assert.equal(summary('insert or replace into [my t] values (:a, @b, $c, ?1)', 'sqlite'), 'INSERT my t')
    assert.equal(summary('select * from `a`, "b"', 'sqlite'), 'SELECT a b')
    assert.equal(summary('insert ignore into `s`.`t` set a = 1', 'mysql'), 'INSERT s.t')
    assert.ok(
      summary(`select * from ${Array.from({ length: 500 }, (_, i) => `table_${i}`).join(', ')}`).length <=
        255,
    )
  })

  it('names the operation and the collection where there is one of each', () => {
    const { operation, collection } = readStatement('select * from a', 'postgresql')
    assert.deepEqual([operation, collection], ['SELECT', 'a'])
    const joined = readStatement('select * from a join b on true', 'postgresql')
    assert.deepEqual([joined.operation, joined.collection], ['SELECT', undefined])
    const both = readStatement('insert into a select * from a', 'postgresql')
    assert.deepEqual([both.operation, both.collection], [undefined, undefined])
  })

  it('never shows what is written as a literal, wherever it is put, and never throws', () => {
    const secret = 'SECRETSECRET'
    const literal: Record<Dialect, fc.Arbitrary<string>> = {
      postgresql: fc.oneof(
        fc.string({ maxLength: 6 }).map((s) => `'${s.replaceAll("'", "''")}${secret}'`),
        fc.string({ maxLength: 6 }).map((s) => `E'${s.replaceAll(/['\\]/g, '\\$&')}${secret}'`),
        fc.constant(`$a$'${secret}"$a$`),
        fc.constant(`/* ' /* " */ ${secret} */`),
        fc.constant(`-- ' " ${secret}\n`),
      ),
      mysql: fc.oneof(
        fc.string({ maxLength: 6 }).map((s) => `'${s.replaceAll(/['\\]/g, '\\$&')}${secret}'`),
        fc.string({ maxLength: 6 }).map((s) => `"${s.replaceAll(/["\\]/g, '\\$&')}${secret}"`),
        fc.constant(`/* ' " ${secret} */`),
        fc.constant(`# ' " ${secret}\n`),
      ),
      sqlite: fc.oneof(
        fc.string({ maxLength: 6 }).map((s) => `'${s.replaceAll("'", "''")}${secret}'`),
        fc.constant(`x'${secret}'`),
        fc.constant(`/* ' /* " [ ${secret} */`),
        fc.constant(`-- ' " [ ${secret}\n`),
      ),
    }
    const words = fc.constantFrom(
      ...'select from where t , ( ) = and insert into values update set 1 .5 a.b "q" ; join'.split(' '),
    )
    for (const dialect of ['postgresql', 'mysql', 'sqlite'] as const) {
      const statement = fc
        .array(fc.oneof(words, literal[dialect]), { maxLength: 20 })
        .map((parts) => parts.join(' '))
      fc.assert(
        fc.property(statement, (sql) => {
          const read = readStatement(sql, dialect)
          assert.ok(!JSON.stringify(read).includes(secret), sql)
        }),
        { numRuns: 2000 },
      )
      fc.assert(
        fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (sql) => {
          readStatement(sql, dialect)
        }),
      )
    }
  })
})
