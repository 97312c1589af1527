// Every class of errors, and what is done again.

import { all, say } from "./calls.mjs";

const CLASSES = {
  400: "BadRequestError",
  401: "AuthenticationError",
  402: "PaymentRequiredError",
  403: "PermissionDeniedError",
  404: "NotFoundError",
  408: "RequestTimeoutError",
  409: "ConflictError",
  412: "PreconditionFailedError",
  413: "ContentTooLargeError",
  422: "UnprocessableEntityError",
  429: "RateLimitError",
  431: "RequestHeaderFieldsTooLargeError",
  499: "ClientClosedRequestError",
  500: "InternalServerError",
  501: "NotImplementedError",
  503: "ServiceUnavailableError",
  504: "GatewayTimeoutError",
  529: "OverloadedError",
};

const fault = (text, more) => ({ headers: { "x-mock-fault": text }, ...more });

export async function errorClasses(calls, client, sdk) {
  calls.about("error classes");
  for (const [status, name] of Object.entries(CLASSES)) {
    const create = () => client.messages.create(say("hi"), fault(`status ${status}`));
    const error = await calls.refused(`status ${status}`, create, Number(status), sdk.APIError);
    calls.check(`class of ${status}`, error?.constructor.name === name, error?.constructor.name);
  }
  for (const [status, name] of [[418, "APIError"], [599, "InternalServerError"]]) {
    const error = await calls.refused(`status ${status}`, () => client.models.list({}, fault(`status ${status}`)), status);
    calls.check(`class of ${status}`, error?.constructor.name === name, error?.constructor.name);
  }
  const wrong = client.withOptions({ apiKey: "sk-ant-api03-wrong" });
  const error = await calls.refused("a wrong key", () => wrong.models.list(), 401, sdk.AuthenticationError);
  calls.check("request id", error?.requestID?.startsWith("req_"), error?.requestID);
  const list = (text, more) => () => client.models.list({}, fault(text, more));
  await calls.refused("no answer", list("close request"), undefined, sdk.APIConnectionError);
  await calls.refused("a late answer", list("stall request", { timeout: 200 }), undefined, sdk.APIConnectionTimeoutError);
  const broken = async () => all(await client.messages.create(say("hi", { stream: true }), fault("reset event 3")));
  // What fetch throws: the SDK passes it on.
  const reset = await calls.refused("a broken stream", broken, undefined, TypeError);
  calls.check("it was the connection", reset?.cause?.code === "ECONNRESET", reset?.cause);
}

/** Every code that the SDK has a class for: the class is the one, and one of those of its status. */
export async function errorCodes(calls, client, classes) {
  calls.about("error codes");
  for (const [key, kind] of classes) {
    const [status, code] = key.split(" ");
    const name = CLASSES[status];
    const call = () => client.models.list({}, fault(`error ${code}`));
    const error = await calls.refused(`error ${code}`, call, Number(status), kind);
    const right = error?.constructor === kind && error.errorCode === code && superclasses(kind).includes(name);
    calls.check(`class of ${code}`, right, error?.constructor.name);
  }
}

/** The names of a class and of those that it extends. */
function superclasses(kind) {
  return kind?.name ? [kind.name, ...superclasses(Object.getPrototypeOf(kind))] : [];
}

/** The server is asked to fail as often as the client asks: how often that was, a middleware counts. */
export async function retries(calls, client) {
  calls.about("retries");
  const attempts = async (text, wanted) => {
    let made = 0;
    const counting = async (request, next) => {
      made += 1;
      return next(request);
    };
    const patient = client.withOptions({ maxRetries: 2, middleware: [counting] });
    const create = () => patient.messages.create(say("hi"), fault(text));
    await calls.refused(text, create, Number(text.split(" ")[1]));
    calls.check(`attempts of ${text}`, made === wanted, made);
  };
  await attempts("status 429 retry-after-ms 5", 3);
  await attempts("status 529 retry-after 0.005", 3);
  await attempts("status 503 retry-after-ms 1", 3);
  await attempts("status 409 retry-after-ms 1", 3);
  await attempts("status 408 retry-after-ms 1", 3);
  await attempts("status 400 retry-after-ms 1", 1);
  await attempts("status 500 x-should-retry false", 1);
}
