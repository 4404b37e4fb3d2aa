# One image for the daemon and for the two kinds of copy pod. All run on a read-only file system, the daemon as a user
# without rights; copy pods say in their manifests as whom they run. Build it anew now and then: Debian's security updates come in.
ARG NODE_VERSION=24
ARG DEBIAN_RELEASE=bookworm

FROM node:${NODE_VERSION}-${DEBIAN_RELEASE}-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:${NODE_VERSION}-${DEBIAN_RELEASE}-slim
# rsync 3.5 comes from Debian's security updates; an older one behaves differently in ways that matter (docs/data-plane.md).
# util-linux, which has blkdiscard, is part of the base image.
RUN apt-get update \
    && apt-get upgrade -y \
    && apt-get install -y --no-install-recommends rsync stunnel4 \
    && rm -rf /var/lib/apt/lists/* \
    && rsync --version | grep -q '^rsync  *version 3\.5\.' \
    && command -v blkdiscard > /dev/null
WORKDIR /app
ENV NODE_ENV=production
# Memory that the first sync needed goes back to the node: little room for young objects, and one arena that is trimmed.
ENV MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=131072
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
# What the copy pods run, by name: their manifests need not know where the image keeps its files.
RUN chmod 755 dist/copy/main.js && ln -s /app/dist/copy/main.js /usr/local/bin/transship-copy
# The user "node" of the base image, as a number, so that a cluster can see that it is not root.
USER 1000:1000
EXPOSE 8080
ENTRYPOINT ["node", "--max-semi-space-size=4", "dist/main.js"]
