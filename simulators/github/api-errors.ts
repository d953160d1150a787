/** GitHub's REST errors, as exceptions that the REST application turns into error documents. */
import type { ContentfulStatusCode } from 'hono/utils/http-status';

const documentationUrl = 'https://docs.github.com/rest';

export interface FieldError {
  readonly resource?: string;
  readonly field?: string;
  readonly code: string;
  readonly message?: string;
}

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: ContentfulStatusCode;
  readonly errors: readonly FieldError[] | undefined;

  constructor(status: ContentfulStatusCode, message: string, errors?: readonly FieldError[]) {
    super(message);
    this.status = status;
    this.errors = errors;
  }

  get document(): Record<string, unknown> {
    return {
      message: this.message,
      ...(this.errors === undefined ? {} : { errors: this.errors }),
      documentation_url: documentationUrl,
      status: String(this.status),
    };
  }
}

/**
 * From a former name to the address by id: 301 for GET and HEAD, 307 otherwise.
 * https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
 */
export class MovedError extends Error {
  override readonly name = 'MovedError';
  readonly status: 301 | 307;
  readonly location: string;

  constructor(method: string, location: string) {
    super('Moved Permanently');
    this.status = method === 'GET' || method === 'HEAD' ? 301 : 307;
    this.location = location;
  }

  get document(): Record<string, unknown> {
    return {
      message: this.message,
      url: this.location,
      documentation_url: `${documentationUrl}/guides/best-practices-for-using-the-rest-api#follow-redirects`,
    };
  }
}

/** The repository has no commit yet. */
export const emptyRepository = (): ApiError => new ApiError(409, 'Git Repository is empty.');
export const notFound = (): ApiError => new ApiError(404, 'Not Found');
export const forbidden = (): ApiError => new ApiError(403, 'Resource not accessible by integration');
export const unprocessable = (message: string): ApiError => new ApiError(422, message);
export const validationFailed = (...errors: readonly FieldError[]): ApiError =>
  new ApiError(422, 'Validation Failed', errors);
