/** The part of Slack's library that `web-api.ts` loads: a split build names no export of CommonJS itself. */
export {
  LogLevel,
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebClient,
} from '@slack/web-api';
