// A certified OAuth server (oidc-provider) on a free loopback port; says "ready <issuer> <assertion>" when it listens.
// The assertion is a JWT that its JWT bearer grant accepts; that grant is added here, on the server's own machinery.
// Argument: the folder of modules.

import { createRequire } from "node:module";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const [modules] = process.argv.slice(2);
const resolve = createRequire(`${modules}/`).resolve;
const load = (name) => import(pathToFileURL(resolve(name)));
const { default: Provider, errors } = await load("oidc-provider");
const { SignJWT, generateKeyPair, jwtVerify } = await load("jose");

const server = createServer();
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const deviceCode = "urn:ietf:params:oauth:grant-type:device_code";
// A program of its own, with an id and a secret whose every odd character has to survive the way here.
const program = (id, method) => ({
  client_id: `${id}: 1/+`,
  client_secret: `s3cret %&=:/+ "${id}"`,
  token_endpoint_auth_method: method,
  grant_types: ["client_credentials", jwtBearer],
  response_types: [],
  redirect_uris: [],
});

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "e2e",
      application_type: "native",
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token", deviceCode],
      response_types: ["code"],
      // A native client's loopback redirect may use any port (RFC 8252, 7.3).
      redirect_uris: ["http://127.0.0.1/callback", "http://localhost/callback"],
    },
    program("basic", "client_secret_basic"),
    program("post", "client_secret_post"),
  ],
  cookies: { keys: ["for tests only"] },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: true },
    deviceFlow: { enabled: true },
    revocation: { enabled: true },
  },
  // Also without the scope offline_access, as long as the client may refresh at all.
  issueRefreshToken: (ctx, client) => client.grantTypeAllowed("refresh_token"),
  pkce: { required: () => true },
  rotateRefreshToken: true,
  scopes: ["openid", "offline_access", "read"],
  ttl: {
    AccessToken: 600,
    AuthorizationCode: 60,
    ClientCredentials: 600,
    DeviceCode: 60,
    Grant: 600,
    Interaction: 60,
    RefreshToken: 600,
    Session: 600,
  },
});

const { publicKey, privateKey } = await generateKeyPair("ES256");
const vouching = { issuer: "https://issuer.example", audience: issuer, subject: "build-7" };
const assertion = await new SignJWT()
  .setProtectedHeader({ alg: "ES256" })
  .setIssuer(vouching.issuer)
  .setAudience(vouching.audience)
  .setSubject(vouching.subject)
  .setExpirationTime("10m")
  .sign(privateKey);
const grant = async (ctx) => {
  const { params, client } = ctx.oidc;
  await jwtVerify(params.assertion ?? "", publicKey, vouching).catch((error) => {
    throw new errors.InvalidGrant(error.message);
  });
  const token = new provider.ClientCredentials({ client, scope: params.scope });
  const access_token = await token.save();
  ctx.body = { access_token, token_type: "Bearer", expires_in: token.expiration, scope: token.scope };
};
provider.registerGrantType(jwtBearer, grant, ["assertion", "scope"]);

server.on("request", provider.callback());
console.log(`ready ${issuer} ${assertion}`);
