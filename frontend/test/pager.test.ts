import { expect, test } from "vitest";
import type { Page } from "../src/model/history";
import { Pager } from "../src/pager";

type Item = { id: number; text: string };

function pagerOf(limit: number) {
  return new Pager<Item>({ requestUpdate: () => {} }, (item) => item.id, limit);
}

function items(...ids: number[]): Item[] {
  return ids.map((id) => ({ id, text: "first" }));
}

function source(list: { all: Item[] }) {
  return async (offset: number, limit: number): Promise<Page<Item>> => ({
    items: list.all.slice(offset, offset + limit),
    total: list.all.length,
  });
}

const ids = (pager: Pager<Item>) => pager.items.map((item) => item.id);

test("a list is read page by page until its end", async () => {
  const pager = pagerOf(2);
  await pager.begin(source({ all: items(5, 4, 3, 2, 1) }));
  expect(ids(pager)).toEqual([5, 4]);
  expect([pager.total, pager.more]).toEqual([5, true]);
  await pager.next();
  await pager.next();
  expect(ids(pager)).toEqual([5, 4, 3, 2, 1]);
  expect(pager.more).toBe(false);
  await pager.next();
  expect(ids(pager)).toHaveLength(5);
});

test("a new item at the top makes no other one come twice or go missing", async () => {
  const list = { all: items(5, 4, 3, 2, 1) };
  const pager = pagerOf(2);
  await pager.begin(source(list));
  list.all = items(6, 5, 4, 3, 2, 1);
  await pager.next();
  expect(ids(pager)).toEqual([5, 4, 3]);
  await pager.refresh();
  expect(ids(pager)).toEqual([6, 5, 4, 3]);
  await pager.next();
  expect(ids(pager)).toEqual([6, 5, 4, 3, 2, 1]);
  expect([pager.total, pager.more]).toEqual([6, false]);
});

test("a look at the beginning replaces what changed", async () => {
  const list = { all: items(2, 1) };
  const pager = pagerOf(5);
  await pager.begin(source(list));
  list.all = [{ id: 2, text: "changed" }, ...items(1)];
  await pager.refresh();
  expect(pager.items.map((item) => item.text)).toEqual(["changed", "first"]);
});

test("an answer to an earlier question is not taken", async () => {
  const pager = pagerOf(2);
  let late: (page: Page<Item>) => void = () => {};
  const first = pager.begin(() => new Promise((resolve) => (late = resolve)));
  await pager.begin(source({ all: items(9) }));
  late({ items: items(1, 2), total: 2 });
  await first;
  expect(ids(pager)).toEqual([9]);
  expect(pager.busy).toBe(false);
});

test("two questions for the next page are one", async () => {
  const pager = pagerOf(2);
  let asked = 0;
  const slow = async (offset: number, limit: number) => {
    asked += 1;
    return source({ all: items(3, 2, 1) })(offset, limit);
  };
  await pager.begin(slow);
  await Promise.all([pager.next(), pager.next()]);
  expect(asked).toBe(2);
  expect(ids(pager)).toEqual([3, 2, 1]);
});

test("an error keeps what is there and can be tried again", async () => {
  const list = { all: items(3, 2, 1) };
  let broken = false;
  const pager = pagerOf(2);
  await pager.begin(async (offset, limit) => {
    if (broken) throw new Error("lost");
    return source(list)(offset, limit);
  });
  broken = true;
  await pager.next();
  expect(pager.error).toEqual(new Error("lost"));
  expect([ids(pager), pager.busy, pager.more]).toEqual([[3, 2], false, true]);
  broken = false;
  await pager.next();
  expect(pager.error).toBeUndefined();
  expect(ids(pager)).toEqual([3, 2, 1]);
});
