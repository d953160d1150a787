import { describe, expect, it } from 'vitest';
import { htmlEvents } from '../../test/fixtures/read-html.ts';
import { attachmentAccess } from './attachment-hosts.ts';
import { attachmentRefs, distinctRefs } from './attachments.ts';
import { displayedAttachments } from './displayed-attachments.ts';

const web = 'https://github.com';
const signed = 'https://private-user-images.githubusercontent.com/1/2-a.png?jwt=ey.J.x';
const shown = (html: string): string[] =>
  displayedAttachments(htmlEvents(html), web).map(({ kind, key, name }) => `${kind} ${key} ${name}`.trim());

describe('the attachments of a displayed text', () => {
  const image = 'image https://private-user-images.githubusercontent.com/1/2-a.png';
  const file = 'file https://github.com/user-attachments/files/7/log.txt log.txt';
  it.each<readonly [string, string, readonly string[]]>([
    ['an image, without its signature', `<p><img src="${signed}" alt="x"></p>`, [image]],
    ['an image in a link to itself', `<a href="${signed}"><img src="${signed}"></a>`, [image]],
    [
      'an image in a link to its upload',
      `<a href="/user-attachments/assets/u-1"><img src="/user-attachments/assets/u-1"></a>`,
      ['image https://github.com/user-attachments/assets/u-1'],
    ],
    ['the same image twice', `<img src="${signed}"><blockquote><img src="${signed}2"></blockquote>`, [image]],
    ['an image below a fold', `<details><summary>x</summary><img src="${signed}"></details>`, [image]],
    ['a file', '<a href="https://github.com/user-attachments/files/7/log.txt">log</a>', [file]],
    [
      'a file in an older repository',
      '<a href="https://github.com/a/b/files/7/a%20b.log">x</a>',
      ['file https://github.com/a/b/files/7/a%20b.log a b.log'],
    ],
    [
      'a file whose name is no UTF-8',
      '<a href="/a/b/files/7/%E0%A4%A">x</a>',
      ['file https://github.com/a/b/files/7/%E0%A4%A %E0%A4%A'],
    ],
    [
      'a video',
      `<video src="${signed.replace('png', 'mp4')}" controls></video>`,
      [image.replace('image', 'video').replace('png', 'mp4')],
    ],
    [
      'an image of another website',
      '<img src="https://camo.githubusercontent.com/ab/cd" data-canonical-src="http://x.example/y.png">',
      ['image https://camo.githubusercontent.com/ab/cd'],
    ],
    ['an image of one pixel', `<img width="1" src="${signed}">`, [`small ${image}`]],
    ['an image of a small part of the page', `<img height="2%" src="${signed}">`, [`small ${image}`]],
    ['an image of an ordinary size', `<img width="600" height="50%" src="${signed}">`, [image]],
    ['an image that is small and large', `<img width="1" src="${signed}"><img src="${signed}">`, [image]],
    ['an image that is large and small', `<img src="${signed}"><img width="1" src="${signed}">`, [image]],
    ['an emoji', '<img class="emoji" src="https://github.githubassets.com/e.png">', []],
    ['a link to a page', '<a href="https://github.com/a/b/issues/7">x</a>', []],
    ['a link elsewhere', '<a href="https://x.example/user-attachments/files/7/log.txt">x</a>', []],
    ['a data URL', '<img src="data:image/png;base64,AA==">', []],
    ['an image without an address', '<img>', []],
    [
      'hidden images',
      `<div hidden><div><img src="${signed}"></div><img src="${signed}"></div><span style="display:none"><img src="${signed}3"></span>`,
      [],
    ],
    ['an image behind a hidden one', `<div hidden><div></div><br></div><img src="${signed}">`, [image]],
    ['what is in code', `<pre><code>&lt;img src="${signed}"&gt;</code></pre>`, []],
  ])('%s', (_, html, expected) => {
    expect(shown(html)).toEqual(expected);
  });

  it('names images by their place, and each address once', () => {
    const found = displayedAttachments(
      htmlEvents(
        `<img src="${signed}"><img src="https://x.example/a.png"><a href="/a/b/files/7/x.log">x</a>`,
      ),
      web,
    );
    const refs = attachmentRefs(found, { kind: 'issue_comment', id: 5 }, { by: 'ada', at: '2026-11-01' });
    expect(refs.map(({ name }) => name)).toEqual([
      'image 1 in the comment of 2026-11-01',
      'image 2 in the comment of 2026-11-01',
      'x.log',
    ]);
    expect(JSON.stringify(refs)).not.toContain('jwt');
    expect(
      distinctRefs([...refs, ...attachmentRefs(found, { kind: 'issue', id: 1 }, { by: 'eve', at: '' })]),
    ).toEqual(refs);
  });
});

describe('an attachment is fetched from', () => {
  const server = 'https://git.acme.example';
  it.each<readonly [string, string, 'token' | 'signed' | null]>([
    [signed, web, 'signed'],
    ['https://user-images.githubusercontent.com/1/a.png', web, 'signed'],
    ['https://objects.githubusercontent.com/x/a.png?X-Amz-Signature=1', web, 'signed'],
    ['https://github.com/user-attachments/assets/u-1', web, 'token'],
    ['https://github.com/user-attachments/files/7/log.txt', web, 'token'],
    ['https://github.com/acme/app/files/7/log.txt', web, 'token'],
    ['https://github.com/acme/app/raw/main/a.png', web, null],
    ['https://github.com/user-attachments/../login', web, null],
    ['https://github.com/user-attachments/files/%2e%2e/%2e%2e/login', web, null],
    ['https://github.com/user-attachments/files/..%2f..%2flogin', web, null],
    ['https://github.com//user-attachments/files/7/x', web, null],
    ['http://github.com/user-attachments/assets/u-1', web, null],
    ['https://github.com:8443/user-attachments/assets/u-1', web, null],
    ['https://user:pass@github.com/user-attachments/assets/u-1', web, null],
    ['https://github.com.evil.example/user-attachments/assets/u-1', web, null],
    ['https://evil.example/user-attachments/assets/u-1', web, null],
    ['https://camo.githubusercontent.com/ab/cd', web, null],
    ['https://raw.githubusercontent.com/a/b/main/x.png', web, null],
    ['https://api.github.com/user-attachments/assets/u-1', web, null],
    ['https://evil.s3.amazonaws.com/a.png', web, null],
    ['https://private-user-images.githubusercontent.com.evil.example/a', web, null],
    ['http://169.254.169.254/user-attachments/assets/u-1', web, null],
    [signed, server, null],
    [`${server}/user-attachments/assets/u-1`, server, 'token'],
    [`${server}/storage/user/3/files/u-1?token=x`, server, 'signed'],
    ['https://media.git.acme.example/user/3/files/u-1?token=x', server, 'signed'],
    [`${server}/storage/user/3/../../login`, server, null],
  ])('%s, of %s: %s', (address, webUrl, expected) => {
    expect(attachmentAccess(new URL(address), webUrl)).toBe(expected);
  });
});
