/** The variable that marks all processes of one test run. Its value is the run's id. */
export const runMark = 'AIRLOCK_TEST_RUN';
