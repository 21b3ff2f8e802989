import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";

/** Two projects: `workers` runs inside workerd with D1, R2 and objects; `node` runs the host and real clients. */
export default defineConfig({
  test: {
    projects: [
      {
        plugins: [
          cloudflareTest(async () => ({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              // What the KV of deployed Workers is compared with.
              kvNamespaces: ["REFERENCE_KV"],
              bindings: {
                TEST_MIGRATIONS: await readD1Migrations("./migrations"),
                ROOT_TOKEN_SHA256:
                  "b0f6e6b3a4a2ea0e7d1bd5c4c0d3e0d3f3b8ac0a0a2d3e0d3f3b8ac0a0a2d3e0",
                SECRETS_KEY: "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
              },
            },
          })),
        ],
        test: {
          name: "workers",
          include: [
            "test/{domain,store,control,api,gateway,observability,data,injected}/**/*.test.ts",
          ],
        },
      },
      {
        test: {
          name: "node",
          include: ["test/*.test.ts", "test/{host,model,chaos,e2e,conformance}/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Each file starts hosts of its own and waits much: two at once make use of two cores, more are each slow.
          maxWorkers: 2,
        },
      },
    ],
  },
});
