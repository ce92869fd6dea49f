// A real provider that is none of ours: npm's oidc-provider, with one client for people, one for programs.
// Its own development pages take any name and password; whoever signs in as ana is in finance.
import Provider from 'oidc-provider';

const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const groups = { ana: ['finance'], ben: ['engineering'] };

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'cli',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      redirect_uris: ['http://127.0.0.1/callback'],
      response_types: ['code'],
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    },
    {
      client_id: 'robot',
      client_secret: 'robot-secret',
      redirect_uris: [],
      response_types: [],
      grant_types: ['client_credentials'],
    },
  ],
  pkce: { required: () => true },
  scopes: ['openid', 'offline_access', 'functions.invoke'],
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  extraTokenClaims: (_context, token) => (token.accountId ? { groups: groups[token.accountId] ?? [] } : {}),
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => 'https://actas.example/',
      useGrantedResource: () => true,
      getResourceServerInfo: (_context, resource) => ({
        scope: 'functions.invoke',
        audience: resource === 'https://another.example/' ? 'another' : 'actas',
        accessTokenFormat: 'jwt',
        accessTokenTTL: resource === 'https://brief.example/' ? 1 : 300,
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
});
provider.listen(port, '127.0.0.1', () => console.log('ready'));
