// Uploads a file with tus-js-client, breaks off half-way, and goes on with a client that starts afresh.
// usage: node upload.mjs URL FILE SEALED_SHA256 ; prints one line of JSON.
import { createReadStream, statSync } from "node:fs";
import { Upload } from "tus-js-client";

const [url, file, hash] = process.argv.slice(2);
const size = statSync(file).size;
const seen = { requests: [], uploadUrl: null, brokenOffAt: 0, resumedAt: null, receipt: null };

function run(breakOff, uploadUrl) {
  return new Promise((resolve, reject) => {
    const upload = new Upload(createReadStream(file), {
      endpoint: url,
      uploadUrl,
      uploadSize: size,
      chunkSize: 100_000,
      metadata: { sealed_sha256: hash },
      retryDelays: null,
      onAfterResponse: (request, response) => {
        const method = request.getMethod();
        seen.requests.push(`${method} ${response.getStatus()}`);
        if (method === "HEAD") seen.resumedAt = Number(response.getHeader("Upload-Offset"));
        seen.receipt = response.getHeader("Yenban-Receipt") ?? seen.receipt;
      },
      onChunkComplete: (_chunk, accepted) => {
        if (breakOff && accepted > size / 2) {
          seen.brokenOffAt = accepted;
          seen.uploadUrl = upload.url;
          upload.abort().then(resolve, reject);
        }
      },
      onError: reject,
      onSuccess: resolve,
    });
    upload.start();
  });
}

await run(true, null);
await run(false, seen.uploadUrl);
console.log(JSON.stringify(seen));
