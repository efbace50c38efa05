import Foundation
import Logging

#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

extension Supervisor {
    /// Says in the log, and in a file of its own, what is known of a worker that ended unasked.
    func record(_ worker: WorkerProcess, _ end: WorkerEnd, at now: Duration) {
        let entries = worker.crashed ?? worker.inFlight.entries()
        let record = CrashRecord(time: Date(), pid: worker.pid, end: end, lived: now - worker.started, entries: entries)
        var metadata: Logger.Metadata = [
            "pid": "\(record.pid)", "uptime_ms": "\(record.uptimeMilliseconds)", "in_flight": "\(entries.count)",
        ]
        metadata["signal"] = record.signal.map { "\($0)" }
        metadata["exit_status"] = record.exitStatus.map { "\($0)" }
        metadata["route"] = record.request.map { "\($0.route)" }
        metadata["request_id"] = record.request.map { "\($0.requestID)" }
        logger.critical("A worker crashed", metadata: metadata)
        append(record.line)
    }

    private func append(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        let file = open(options.crashLog, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        defer { if file >= 0 { close(file) } }
        guard file >= 0, write(file, bytes, bytes.count) == bytes.count else {
            let failure = SystemFailure("write the crash log")
            logger.error("A crash is not in the crash log", metadata: ["error": "\(failure)"])
            return
        }
    }
}
