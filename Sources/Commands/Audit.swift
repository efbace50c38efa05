import ArgumentParser
import MartletApp
import MartletAudit
import MartletCore

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Make sure that the audit log is as it was written.", subcommands: [VerifyAudit.self])
}

struct VerifyAudit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Read every row, and name the first of each chain that was changed, removed or moved.",
        discussion: "Exit status 1 when there is one. Keep the printed hashes elsewhere: they tell later that nothing was set back.")

    @OptionGroup var settings: SettingFlags

    func run() async throws {
        try await withApp(settings) { app in
            let findings = try await AuditVerifier(app.database, keys: AuditKeys(app.settings)).verify()
            for finding in findings { Output.line(finding.line) }
            let broken = findings.count { $0.fault != nil }
            guard broken == 0 else {
                throw Failure.conflict("audit_log_broken", "The audit log is not what was written: chains with a fault: \(broken).")
            }
            let rows = findings.reduce(0) { $0 + $1.rows }
            Output.line("The audit log is as it was written: \(rows) rows in \(findings.count) chains.")
        }
    }
}

extension AuditVerifier.Finding {
    fileprivate var line: String {
        let name = organisation.map { "organisation \($0)".lowercased() } ?? "instance"
        return "\(name): " + (fault ?? "\(rows) rows, the last is \(head.sequence) with hash \(head.hash)")
    }
}
