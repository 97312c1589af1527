// Calls, each with a name, what they gave, and how many there are.

export const MODEL = "claude-haiku-4-5";

export const say = (text, more = {}) => ({
  model: MODEL,
  max_tokens: 64,
  messages: [{ role: "user", content: text }],
  ...more,
});

/** The items of a list, page after page. */
export async function all(list) {
  const items = [];
  for await (const item of list) items.push(item);
  return items;
}

export const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

export class Calls {
  count = {};
  wrong = [];
  #topic;

  /** What the calls that follow are about. */
  about(topic) {
    this.#topic = topic;
  }

  /** Makes a call and looks at what it gave. */
  async expect(name, call, expected = () => true) {
    this.#counted();
    try {
      const value = await call();
      this.check(name, await expected(value), value);
      return value;
    } catch (error) {
      this.wrong.push({ call: name, error: `${error.constructor.name}: ${error}`.slice(0, 500) });
      return undefined;
    }
  }

  /** Makes a call that has to fail, and gives the error. */
  async refused(name, call, status, kind = Error) {
    this.#counted();
    let value;
    try {
      value = await call();
    } catch (error) {
      this.check(name, error instanceof kind && error.status === status, `${error.constructor.name}: ${error}`);
      return error;
    }
    this.wrong.push({ call: name, gave: String(JSON.stringify(value)).slice(0, 500) });
    return undefined;
  }

  /** What is no call of its own. */
  check(name, right, value) {
    if (!right) this.wrong.push({ call: name, gave: String(JSON.stringify(value) ?? value).slice(0, 500) });
  }

  #counted() {
    this.count[this.#topic] = (this.count[this.#topic] ?? 0) + 1;
  }
}
