import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { claimPort } from "../../src/host/port.ts";

const LOOPBACK = "127.0.0.1";

describe("a port", () => {
  it("for 0 is a free one below those that systems hand out to anybody", async () => {
    for (let n = 0; n < 20; n++) {
      const port = await claimPort(LOOPBACK, 0, 0);
      expect(port).toBeGreaterThanOrEqual(20_000);
      expect(port).toBeLessThan(32_768);
    }
  });

  it("that is taken is refused in one sentence", async () => {
    const port = await claimPort(LOOPBACK, 0, 0);
    const server = createServer();
    await new Promise<void>((done) => server.listen(port, LOOPBACK, done));
    await expect(claimPort(LOOPBACK, port, 0)).rejects.toThrow(/is taken by another program/);
    await new Promise((done) => server.close(done));
  });
});
