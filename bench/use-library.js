// A program that uses the built library in one way, named by its argument, and prints milliseconds
// that it took within the process where that is what counts.
const [, , what, count = "1000"] = process.argv;
const { openRepository } = await import("../dist/lib/index.js");
const address = (index) => `prod/api/BENCH_VALUE_${index}`;

const ways = {
  async open() {
    await openRepository();
  },
  async first() {
    const repository = await openRepository();
    (await repository.getSecret(address(0))).revealText();
  },
  async resolve() {
    const repository = await openRepository();
    const config = Array.from({ length: Number(count) }, (_, index) => ({ key: `is \${secret:${address(index)}}` }));
    const resolved = await repository.resolve(config);
    if (resolved.some(({ key }) => key.includes("$"))) throw new Error("a reference was left");
  },
  async cached() {
    const repository = await openRepository();
    await repository.getSecret(address(0));
    await repeat(() => repository.getSecret(address(0)));
    return await repeat(() => repository.getSecret(address(0)));
  },
  async map() {
    const values = new Map([[address(0), { freshUntil: Infinity }]]);
    const read = async (name) => (performance.now() < values.get(name).freshUntil ? values.get(name) : undefined);
    await repeat(() => read(address(0)));
    return await repeat(() => read(address(0)));
  },
  async uncached() {
    const repository = await openRepository({ cache: { ttlMs: 0 } });
    await repository.getSecret(address(0));
    const start = performance.now();
    await repository.getSecret(address(1));
    return performance.now() - start;
  },
};

const timeMs = await ways[what]();
process.stdout.write(JSON.stringify({ timeMs }));

async function repeat(read) {
  const start = performance.now();
  for (let done = 0; done < Number(count); done += 1) await read();
  return performance.now() - start;
}
