# docker build -t switchback . && docker run --init -p 8787:8787 -v switchback:/data switchback
FROM node:26-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY src ./src
RUN npm run --silent build
# Only what runs; Node comes with the image.
RUN npm prune --omit=dev --no-audit --no-fund

FROM node:26-slim
# workerd checks certificates by the system's list.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY src ./src
COPY migrations ./migrations
RUN install --directory --owner=node --group=node --mode=0700 /data
USER node
ENV SWITCHBACK_DATA=/data SWITCHBACK_HOST=0.0.0.0 SWITCHBACK_PORT=8787
VOLUME /data
EXPOSE 8787
# The supervisor answers /readyz itself, for all processes; the name makes it the API's host and not a Worker's.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://localhost:${process.env.SWITCHBACK_PORT}/readyz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# The launcher itself: it gets the signal that stops the container.
ENTRYPOINT ["node", "src/host/main.ts"]
