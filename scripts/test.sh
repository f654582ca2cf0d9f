#!/bin/sh
# Every test: format and lint, types, then unit, property, host and emulator tests. The last line counts them.
set -u
cd "$(dirname "$0")/.." || exit 1
PATH="$PWD/node_modules/.bin:$PATH"
status=0
biome ci . || status=1
tsc -p tsconfig.json || status=1
npm run --silent build || status=1
mkdir -p out
rm -f out/tests.json
vitest run --reporter=default --reporter=json --outputFile.json=out/tests.json || status=1
node -e '
  const checks = Number(process.argv[1]);
  const t = (() => { try { return JSON.parse(require("fs").readFileSync("out/tests.json", "utf8")); } catch { return null; } })();
  if (t === null) { console.log("0 passed, 1 failed, 0 skipped"); process.exit(1); }
  const broken = t.numFailedTests === 0 && checks !== 0 ? 1 : 0;
  console.log(`${t.numPassedTests} passed, ${t.numFailedTests + broken} failed, ${t.numPendingTests + t.numTodoTests} skipped`);
' "$status"
exit "$status"
