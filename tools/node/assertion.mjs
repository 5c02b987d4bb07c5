// Judges passkey assertions with SimpleWebAuthn. Standard input: a JSON list of {credential, spki, count, challenge, origin, rp,
// authenticator_data, client_data, signature}, binary values in base64url. Prints a JSON list: the new sign count, or null where the
// assertion is refused.
import { createPublicKey } from "node:crypto";
import { verifyAuthenticationResponse } from "@simplewebauthn/server";

const bytes = (text) => Buffer.from(text, "base64url");
let text = "";
for await (const chunk of process.stdin) text += chunk;

// A P-256 key as COSE (RFC 9053): kty 2, alg -7, crv 1, x, y.
function cose(spki) {
  const { x, y } = createPublicKey({ key: bytes(spki), format: "der", type: "spki" }).export({ format: "jwk" });
  return Buffer.concat([Buffer.from("a5010203262001215820", "hex"), bytes(x), Buffer.from("225820", "hex"), bytes(y)]);
}

async function judged(one) {
  const response = { clientDataJSON: one.client_data, authenticatorData: one.authenticator_data, signature: one.signature };
  try {
    const done = await verifyAuthenticationResponse({
      response: { id: one.credential, rawId: one.credential, type: "public-key", clientExtensionResults: {}, response },
      expectedChallenge: one.challenge, expectedOrigin: one.origin, expectedRPID: one.rp, requireUserVerification: true,
      credential: { id: one.credential, publicKey: cose(one.spki), counter: one.count },
    });
    return done.verified ? done.authenticationInfo.newCounter : null;
  } catch {
    return null;
  }
}

console.log(JSON.stringify(await Promise.all(JSON.parse(text).map(judged))));
