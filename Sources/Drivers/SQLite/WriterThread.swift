import Dispatch

/// The one thread that writes. Transactions' bodies run on it, so their statements need no change of threads, and what waits for the disk
/// is this thread, not one that serves requests.
final class WriterThread: TaskExecutor {
    let queue = DispatchQueue(label: "martlet.sqlite.writer")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
