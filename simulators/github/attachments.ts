/**
 * Files that people attach to texts, as on GitHub Enterprise Server. An upload has a lasting address, which
 * leads readers of its repository to one in storage that is signed for five minutes.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import type { NewAttachment } from './contract.ts';
import type { Repository } from './store.ts';

interface Upload {
  readonly repository: Repository;
  readonly id: string;
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const signedForMs = 5 * 60_000;

export class Attachments {
  private readonly uploads = new Map<string, Upload>();
  private readonly tokens = new Map<string, { readonly id: string; readonly until: number }>();
  /** Where uploads lead to instead of storage. */
  elsewhere: string | null = null;

  /** Returns the path of the upload. Images get an address without their name. */
  add(repository: Repository, { file, content }: NewAttachment): string {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    const id = randomUUID();
    this.uploads.set(id, { repository, id, name: file, bytes: new Uint8Array(bytes) });
    return /\.(?:png|jpe?g|gif|webp|svg|mp4)$/i.test(file)
      ? `/user-attachments/assets/${id}`
      : `/user-attachments/files/${id}/${encodeURIComponent(file)}`;
  }

  find(id: string): Upload | null {
    return this.uploads.get(id) ?? null;
  }

  /** The path of the file in storage. */
  sign({ id }: Upload): string {
    const token = randomBytes(16).toString('hex');
    this.tokens.set(token, { id, until: Date.now() + signedForMs });
    return `/storage/user/1/files/${id}?token=${token}`;
  }

  /** What a token of storage opens. */
  open(id: string, token: string): Upload | null {
    const signed = this.tokens.get(token);
    return signed?.id === id && signed.until >= Date.now() ? this.find(id) : null;
  }
}
