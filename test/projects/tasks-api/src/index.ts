import { and, count, desc, eq, like } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import * as schema from "./schema.ts";

const { lists, tasks } = schema;

interface Bindings {
  readonly DB: D1Database;
}

const app = new Hono<{ Bindings: Bindings }>();

app.onError((error, c) =>
  error instanceof HTTPException
    ? c.json({ error: error.message }, error.status)
    : c.json({ error: error.cause instanceof Error ? error.cause.message : error.message }, 500),
);

app.get("/lists", async (c) => {
  const db = drizzle(c.env.DB, { schema });
  return c.json(await db.query.lists.findMany({ with: { tasks: true } }));
});

app.post("/lists", async (c) => {
  const { name } = await c.req.json<{ name: string }>();
  const [list] = await drizzle(c.env.DB).insert(lists).values({ name }).returning();
  return c.json(list, 201);
});

app.post("/lists/:id/tasks", async (c) => {
  const titles = await c.req.json<string[]>();
  const listId = Number(c.req.param("id"));
  const db = drizzle(c.env.DB);
  const insert = (title: string) =>
    db
      .insert(tasks)
      .values({ listId, title, createdAt: new Date(0) })
      .returning();
  const [first, ...others] = titles.map(insert);
  if (first === undefined) throw new HTTPException(400, { message: "no titles" });
  return c.json((await db.batch([first, ...others])).flat(), 201);
});

app.get("/tasks", async (c) => {
  const found = await drizzle(c.env.DB)
    .select({ title: tasks.title, list: lists.name, done: tasks.done })
    .from(tasks)
    .innerJoin(lists, eq(tasks.listId, lists.id))
    .where(and(like(tasks.title, `%${c.req.query("q") ?? ""}%`), eq(tasks.done, false)))
    .orderBy(desc(tasks.id))
    .limit(10);
  return c.json(found);
});

app.patch("/tasks/:id", async (c) => {
  const [task] = await drizzle(c.env.DB)
    .update(tasks)
    .set({ done: true })
    .where(eq(tasks.id, Number(c.req.param("id"))))
    .returning();
  if (task === undefined) throw new HTTPException(404, { message: "no such task" });
  return c.json(task);
});

app.delete("/lists/:id", async (c) => {
  const db = drizzle(c.env.DB);
  await db.delete(lists).where(eq(lists.id, Number(c.req.param("id"))));
  return c.json((await db.select({ left: count() }).from(tasks))[0]);
});

export default app;
