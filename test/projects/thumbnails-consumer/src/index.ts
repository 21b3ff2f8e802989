interface Job {
  readonly image: string;
  readonly size: number;
}

interface Env {
  readonly RESULTS: KVNamespace;
}

export default {
  async queue(batch, env) {
    for (const message of batch.messages) {
      const { image, size } = message.body;
      const failed = batch.queue === "thumbnails-failed";
      if (image.includes("flaky") && message.attempts < 2) {
        message.retry();
        continue;
      }
      if (image.includes("broken") && !failed) {
        message.retry();
        continue;
      }
      await env.RESULTS.put(failed ? `failed/${image}` : `${image}@${size}`, "", {
        metadata: { attempts: message.attempts, queue: batch.queue },
      });
      message.ack();
    }
  },
} satisfies ExportedHandler<Env, Job>;
