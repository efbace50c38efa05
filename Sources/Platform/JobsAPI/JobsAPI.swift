// MartletJobsAPI: what can be asked of jobs. Shared by server, client, documentation and tests.
