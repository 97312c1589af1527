// A certified OAuth server (oidc-provider) on a free loopback port; says "ready <issuer>" when it listens.
// Argument: the folder of modules.

import { createRequire } from "node:module";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const [modules] = process.argv.slice(2);
const resolve = createRequire(`${modules}/`).resolve;
const { default: Provider } = await import(pathToFileURL(resolve("oidc-provider")));

const server = createServer();
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "e2e",
      application_type: "native",
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      // A native client's loopback redirect may use any port (RFC 8252, 7.3).
      redirect_uris: ["http://127.0.0.1/callback"],
    },
  ],
  cookies: { keys: ["for tests only"] },
  features: { devInteractions: { enabled: true }, revocation: { enabled: true } },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  scopes: ["openid", "offline_access"],
  ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, Interaction: 60, RefreshToken: 600, Session: 600 },
});
server.on("request", provider.callback());
console.log(`ready ${issuer}`);
