// The real client against a small server on loopback with a certificate: whom it trusts. Needs openssl to make one.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { resources } from '../../src/kube/resources.ts';
import { cleanUp, client, failureOf, pod, web } from './clientFixtures.ts';
import { type Answer, json, loopback } from './loopback.ts';

const hasOpenssl = ((): boolean => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!hasOpenssl)('connect, over TLS', () => {
  /** A certificate for 127.0.0.1 that signs itself. */
  const certificate = (
    directory: string,
    name: string,
  ): { readonly certFile: string; readonly key: string; readonly cert: string } => {
    const [certFile, keyFile] = [join(directory, `${name}.crt`), join(directory, `${name}.key`)];
    const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
    const files = ['-keyout', keyFile, '-out', certFile];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', ...files, ...subject],
      {
        stdio: 'ignore',
      },
    );
    return { certFile, key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8') };
  };
  const directory = (): string => {
    const made = mkdtempSync(join(tmpdir(), 'transship-tls-'));
    cleanUp.push(() => rmSync(made, { recursive: true }));
    return made;
  };
  const answerPod: Answer = (_request, response) => json(response, 200, pod('web-1'));

  test('trusts the certificate authority of the kubeconfig, and shares connections', async () => {
    const files = certificate(directory(), 'server');
    const server = await loopback(answerPod, files);
    cleanUp.push(server.stop);
    const connection = client(server.url, {}, {}, { caFile: files.certFile });
    for (let count = 0; count < 50; count++) await firstValueFrom(connection.get(resources.pods, web));
    expect(server.connections()).toBeLessThanOrEqual(2);
  });

  test('trusts no other, and says so', async () => {
    const place = directory();
    const server = await loopback(answerPod, certificate(place, 'server'));
    cleanUp.push(server.stop);
    const other = certificate(place, 'other').certFile;
    const failure = await failureOf(
      firstValueFrom(client(server.url, {}, {}, { caFile: other }).get(resources.pods, web)),
    );
    expect(failure.kind).toBe('unreachable');
    expect(failure.message).toContain('not signed by the certificate authority in the kubeconfig');
  });

  test('makes new connections when the certificate authority has changed', async () => {
    const place = directory();
    const files = certificate(place, 'server');
    const server = await loopback(answerPod, files);
    cleanUp.push(server.stop);
    const caFile = join(place, 'ca.crt');
    writeFileSync(caFile, certificate(place, 'other').cert);
    const connection = client(server.url, {}, {}, { caFile });
    expect((await failureOf(firstValueFrom(connection.get(resources.pods, web)))).kind).toBe('unreachable');
    copyFileSync(files.certFile, caFile);
    expect(await firstValueFrom(connection.get(resources.pods, web))).toStrictEqual(pod('web-1'));
  });
});
