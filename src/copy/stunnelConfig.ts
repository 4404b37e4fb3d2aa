// What stunnel is told on either side: TLS 1.3 with one key for both and nothing else. No side has a port without TLS:
// the server runs rsync behind pipes and hands control to a socket in a folder; the client is stdin and stdout of
// whoever starts it. Pure text; names are relative to the working directory.
import { controlPort, rsyncPort } from './paths.ts';

/** Who both sides say they are. */
export const pskIdentity = 'transship';

export const files = {
  psk: 'stunnel.psk',
  nobody: 'nobody.pem',
  server: 'stunnel-server.conf',
  rsync: 'stunnel-rsync.conf',
  control: 'stunnel-control.conf',
  controlSocket: 'control.sock',
} as const;

/**
 * The one authority that a client trusts: expired, its key thrown away. Without it stunnel would take any certificate
 * from a server that does not know the key, and hand over the disk.
 */
export const nobodysCertificate = `-----BEGIN CERTIFICATE-----
MIIBeDCCAR2gAwIBAgIUDxjmtSOvlPLAskJf3uOYC6CvLggwCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGbm9ib2R5MB4XDTI2MTEyMzA5MzA1MVoXDTI2MTEyNDA5MzA1
MVowETEPMA0GA1UEAwwGbm9ib2R5MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
rG2BLNrKGOKPVcymX9JVjlduoqlFX1Bpo11atkW9IkGZUJPjMeqOxVDmTuwqlYTm
1FxLjtIiz2Gvsi/hKkMPIaNTMFEwHQYDVR0OBBYEFCMtjHEe10gwh/f3483asTb/
mwGMMB8GA1UdIwQYMBaAFCMtjHEe10gwh/f3483asTb/mwGMMA8GA1UdEwEB/wQF
MAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAMH6ot9+ww+XhNoOxBmO/xxXkWzfernm
1pw8+GZSk4tQAiEAx3uYZCv8hBQctekwkCfhU7j5lP3S6RRR7EASlN9QmOY=
-----END CERTIFICATE-----
`;

/** Both rsync and control give signs of life more often than this: who is silent so long is gone. */
const idle = (timeoutSeconds: number): string => `TIMEOUTidle = ${2 * timeoutSeconds + 10}`;

const common = [
  'foreground = yes',
  'pid =',
  'syslog = no',
  'debug = warning',
  'socket = l:TCP_NODELAY=1',
  'socket = r:TCP_NODELAY=1',
  'sslVersionMin = TLSv1.3',
  'ciphersuites = TLS_AES_128_GCM_SHA256',
  `PSKsecrets = ${files.psk}`,
  // Otherwise every end would take up to a minute.
  'TIMEOUTclose = 0',
  'TIMEOUTbusy = 30',
];

/** The server: rsync at one port, the control conversation at the other, both on one address alone. */
export const serverTunnel = (address: string, timeoutSeconds: number, rsync: string, rsyncdConfig: string): string =>
  [
    ...common,
    idle(timeoutSeconds),
    '[rsync]',
    `accept = ${address}:${rsyncPort}`,
    `exec = ${rsync}`,
    `execArgs = rsync --daemon --no-detach --config=${rsyncdConfig}`,
    '[control]',
    `accept = ${address}:${controlPort}`,
    // A path by which the socket can be reached however long the folder's name is: a socket's may have 107 characters.
    `connect = /proc/self/cwd/${files.controlSocket}`,
    '',
  ].join('\n');

/** The client's end of a tunnel to one port of a server; it lives as long as one connection. */
export const clientTunnel = (server: string, port: number, timeoutSeconds: number): string =>
  [
    ...common,
    idle(timeoutSeconds),
    'client = yes',
    `connect = ${server}:${port}`,
    `PSKidentity = ${pskIdentity}`,
    'TIMEOUTconnect = 10',
    'verifyChain = yes',
    `CAfile = ${files.nobody}`,
    '',
  ].join('\n');
