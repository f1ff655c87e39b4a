/** No node: the end of a chain of siblings or of fail links. */
const none = -1;

/**
 * Finds every occurrence of many byte patterns in one pass (Aho and Corasick, "Efficient string
 * matching", CACM 18, 1975), in time linear in the text. A state is a node of the trie of
 * patterns; 0 is the root.
 */
export class MaskMatcher {
  readonly #bytes: Uint8Array;
  readonly #firstChild: Int32Array;
  readonly #nextSibling: Int32Array;
  readonly #fail: Int32Array;
  readonly #depth: Int32Array;
  readonly #longest: Int32Array;
  readonly #rootChild = new Int32Array(256).fill(0);
  #size = 1;

  /** `patterns` are not empty. */
  constructor(patterns: readonly Uint8Array[]) {
    const capacity = patterns.reduce((total, pattern) => total + pattern.length, 1);
    this.#bytes = new Uint8Array(capacity);
    this.#firstChild = new Int32Array(capacity).fill(none);
    this.#nextSibling = new Int32Array(capacity).fill(none);
    this.#fail = new Int32Array(capacity);
    this.#depth = new Int32Array(capacity);
    this.#longest = new Int32Array(capacity);
    for (const pattern of patterns) this.#insert(pattern);
    this.#link();
  }

  /** The state after `byte`. */
  next(state: number, byte: number): number {
    for (let node = state; node !== 0; node = at(this.#fail, node)) {
      const child = this.#child(node, byte);
      if (child !== none) return child;
    }
    return at(this.#rootChild, byte);
  }

  /** How many of the last bytes could be the start of a pattern. */
  depth(state: number): number {
    return at(this.#depth, state);
  }

  /** Length of the longest pattern that ends here; 0 for none. */
  longest(state: number): number {
    return at(this.#longest, state);
  }

  #child(node: number, byte: number): number {
    let child = at(this.#firstChild, node);
    while (child !== none && this.#bytes[child] !== byte) child = at(this.#nextSibling, child);
    return child;
  }

  #insert(pattern: Uint8Array): void {
    let node = 0;
    for (const byte of pattern) {
      const known = node === 0 ? at(this.#rootChild, byte) || none : this.#child(node, byte);
      node = known === none ? this.#add(node, byte) : known;
    }
    this.#longest[node] = pattern.length;
  }

  #add(parent: number, byte: number): number {
    const node = this.#size++;
    this.#bytes[node] = byte;
    this.#depth[node] = this.depth(parent) + 1;
    this.#nextSibling[node] = at(this.#firstChild, parent);
    this.#firstChild[parent] = node;
    if (parent === 0) this.#rootChild[byte] = node;
    return node;
  }

  /** Breadth first, so that the fail link of every shorter node is known. */
  #link(): void {
    const queue = new Int32Array(this.#size);
    let tail = 1;
    for (let head = 0; head < tail; head++) {
      const parent = at(queue, head);
      for (let node = at(this.#firstChild, parent); node !== none; node = at(this.#nextSibling, node)) {
        const fail = parent === 0 ? 0 : this.next(at(this.#fail, parent), at(this.#bytes, node));
        this.#fail[node] = fail;
        this.#longest[node] = Math.max(this.longest(node), this.longest(fail));
        queue[tail++] = node;
      }
    }
  }
}

function at(array: Int32Array | Uint8Array, index: number): number {
  return array[index] ?? 0;
}
