// npm's samlp as a provider: node samlp_server.cjs PORT KEY CERT; what it knows of us comes by PUT /knows
const express = require('express'), samlp = require('samlp'), fs = require('fs');
const [port, keyFile, certFile] = process.argv.slice(2);
const base = `http://127.0.0.1:${port}`, key = fs.readFileSync(keyFile), cert = fs.readFileSync(certFile);
const people = {
  ana: { id: 'ana-1', groups: ['finance', 'analysts'] },
  ben: { id: 'ben-1', groups: ['contractors'] },
};
let known = {};
const app = express();
app.use(express.urlencoded({ extended: false, limit: '1mb' }), express.json({ limit: '1mb' }));
const escaped = text => String(text || '').replace(/[&<>"]/g, one => `&#${one.charCodeAt(0)};`);
function Profile(person) {
  return {
    getClaims: () => ({ groups: person.groups }),
    getNameIdentifier: () => ({ nameIdentifier: person.id }),
  };
}
Profile.prototype.metadata = [];
app.put('/knows', (asked, answer) => { known = asked.body; answer.end(); });
app.get('/metadata', (asked, answer, next) =>
  samlp.metadata({ issuer: `${base}/metadata`, cert, redirectEndpointPath: '/sso', postEndpointPath: '/sso' })(asked, answer, next));
app.all('/sso', (asked, answer, next) => {
  const all = { ...asked.query, ...asked.body };
  const person = Object.hasOwn(people, all.username || '') && all.password === `${all.username}-pw` ? people[all.username] : null;
  if (!person) {
    const hidden = ['SAMLRequest', 'RelayState', 'SigAlg', 'Signature']
      .map(name => `<input type="hidden" name="${name}" value="${escaped(all[name])}"/>`).join('');
    return answer.send(`<form method="post" action="/sso"><input name="username"/><input type="password" name="password"/>${hidden}</form>`);
  }
  asked.user = person; asked.method = 'GET'; asked.body = {};
  asked.query = Object.fromEntries(Object.entries(all).filter(([name, value]) => value && !['username', 'password'].includes(name)));
  const begins = !asked.query.SAMLRequest;
  const go = (audience, inResponseTo) => samlp.auth({
    issuer: `${base}/metadata`, cert, key, audience, inResponseTo, destination: known.acs, recipient: known.acs,
    getPostURL: (issuer, request, whole, done) => done(null, known.acs),
    nameIdentifierFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent', profileMapper: Profile,
    signatureAlgorithm: 'rsa-sha256', digestAlgorithm: 'sha256', RelayState: all.RelayState, ...known.how,
    ...(known.encrypt ? { encryptionCert: known.encrypt, encryptionPublicKey: known.publicKey,
                          encryptionAlgorithm: known.algorithm, disallowEncryptionWithInsecureAlgorithm: false } : {}),
  })(asked, answer, next);
  if (begins) return go(known.audience, undefined);
  samlp.parseRequest(asked, (wrong, found) => wrong ? next(wrong) : go(found.issuer, found.id));
});
app.use((wrong, asked, answer, next) => { console.error(wrong.stack); answer.status(500).send(escaped(wrong.message)); });
app.listen(+port, '127.0.0.1', () => console.log('ready'));
