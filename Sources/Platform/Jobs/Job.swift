// MartletJobs: work that outlives a request, enqueued in the transaction that wants it.
