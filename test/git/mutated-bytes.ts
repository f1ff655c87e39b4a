import fc from "fast-check";

/** Bytes as latin1 text, and what makes other bytes of them. */
export type Mutation = (text: string) => string;

/** A place in a text of any length. */
const place = fc.double({ min: 0, max: 1, noNaN: true });

function at(text: string, where: number): number {
  return Math.floor(where * text.length);
}

/** A few changes, one after the other: bytes flipped, cut out, put in, repeated or moved, and the end cut off. */
export function mutations(inserted: fc.Arbitrary<string>, ...more: fc.Arbitrary<Mutation>[]): fc.Arbitrary<Mutation> {
  const flip = fc.tuple(place, fc.integer({ min: 1, max: 255 })).map(([where, mask]): Mutation => (text) => {
    const index = at(text, where);
    const byte = text.charCodeAt(index);
    return Number.isNaN(byte) ? text : replace(text, index, index + 1, String.fromCharCode(byte ^ mask));
  });
  const put = fc.tuple(place, inserted).map(([where, what]): Mutation => (text) => {
    return replace(text, at(text, where), at(text, where), what);
  });
  const take = fc.tuple(place, fc.integer({ min: 1, max: 30 })).map(([where, length]): Mutation => (text) => {
    return replace(text, at(text, where), at(text, where) + length, "");
  });
  const repeat = fc.tuple(place, place, place).map(([from, to, where]): Mutation => (text) => {
    return replace(text, at(text, where), at(text, where), text.slice(at(text, from), at(text, to)));
  });
  const cut = place.map(
    (where): Mutation =>
      (text) =>
        text.slice(0, at(text, where)),
  );
  const one = fc.oneof(...more, flip, put, take, repeat, cut);
  return fc
    .oneof(
      one.map((mutate) => [mutate]),
      fc.array(one, { minLength: 2, maxLength: 3 }),
    )
    .map(
      (all): Mutation =>
        (text) =>
          all.reduce((result, each) => each(result), text),
    );
}

/** Changes of whole pieces of a text, which `split` gives: one repeated elsewhere, two exchanged, one gone. */
export function pieceMutations(split: (text: string) => string[]): fc.Arbitrary<Mutation> {
  return fc
    .tuple(place, place, fc.constantFrom("repeat", "swap", "drop" as const))
    .map(([one, other, kind]): Mutation => (text) => {
      const pieces = split(text);
      const [a, b] = [one, other].map((where) => Math.floor(where * pieces.length));
      const [first, second] = [pieces[a ?? 0], pieces[b ?? 0]];
      if (first === undefined || second === undefined || a === undefined || b === undefined) return text;
      if (kind === "drop") pieces.splice(a, 1);
      else if (kind === "repeat") pieces.splice(b, 0, first);
      else [pieces[a], pieces[b]] = [second, first];
      return pieces.join("");
    });
}

function replace(text: string, start: number, end: number, what: string): string {
  return text.slice(0, start) + what + text.slice(end);
}
