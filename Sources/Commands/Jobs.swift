import ArgumentParser
import Foundation
import MartletApp
import MartletContract
import MartletCore
import MartletJobs
import MartletJobsAPI
import MartletJobsService
import MartletSettings
import MartletStorage

struct WorkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "work", abstract: "Run jobs, without a server, until told to stop.",
        discussion: "Any number of these may share one database. Set JOBS_IN_SERVER=false where the server is to leave jobs to them.")

    @OptionGroup var settings: SettingFlags

    func run() async throws {
        try await reporting {
            let app = try await settings.app()
            try await app.prepare()
            Output.line("Martlet \(App.version) runs jobs")
            try await app.work()
        }
    }
}

struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "See jobs and steer them.",
        subcommands: [JobsList.self, JobsShow.self, JobsRetry.self, JobsCancel.self], defaultSubcommand: JobsList.self)
}

struct JobsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List jobs, newest first.")

    @Option(help: "Only those: \(JobState.allCases.map(\.rawValue).joined(separator: ", ")). Dead ones are the dead letters.")
    var state: String?
    @Option(help: "Only those of this kind, such as bookmarks.import.") var kind: String?
    @Option(help: "How many, 1 to 200.") var limit = 50
    @OptionGroup var settings: SettingFlags

    func validate() throws {
        guard (1...200).contains(limit) else { throw ValidationError("Give a limit from 1 to 200.") }
        if let state, JobState(rawValue: state) == nil { throw ValidationError("There is no state '\(state)'.") }
    }

    func run() async throws {
        try await looking(settings) { register in
            let kind = try kind.map { try JobKind($0) }
            let page = try await register.page(JobFilter(state: state.flatMap(JobState.init), kind: kind, limit: try PageLimit(limit)))
            for job in page.items { Output.line(job.line) }
            if page.next != nil { Output.error("There are more.") }
        }
    }
}

struct JobsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show one job whole, as JSON.")

    @Argument(help: "The job's identifier.") var id: JobIdentifier
    @OptionGroup var settings: SettingFlags

    func run() async throws {
        try await looking(settings) { register in
            let status = try await register.find(id.id)
            Output.line(String(decoding: try WireJSON.encode(status), as: UTF8.self))
        }
    }
}

struct JobsRetry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "retry", abstract: "Begin a dead or cancelled job anew.")

    @Argument(help: "The job's identifier.") var id: JobIdentifier
    @OptionGroup var settings: SettingFlags

    func run() async throws {
        try await withApp(settings) { app in
            let register = JobRegister(app.database)
            try await JobSteering(register, audit: app.audit).retry(id.id)
            Output.line(try await register.find(id.id).line)
        }
    }
}

struct JobsCancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "cancel", abstract: "Cancel a job; one that runs is told to end.")

    @Argument(help: "The job's identifier.") var id: JobIdentifier
    @OptionGroup var settings: SettingFlags

    func run() async throws {
        try await withApp(settings) { app in
            let register = JobRegister(app.database)
            try await JobSteering(register, audit: app.audit).cancel(id.id)
            Output.line(try await register.find(id.id).line)
        }
    }
}

struct JobIdentifier: ExpressibleByArgument {
    let id: Identifier<JobRecord>

    init?(argument: String) {
        guard let id = Identifier<JobRecord>(argument[...]) else { return nil }
        self.id = id
    }
}

extension AsyncParsableCommand {
    /// Gives `body` the jobs of the database that the settings name.
    fileprivate func looking(_ flags: SettingFlags, _ body: (JobRegister) async throws -> Void) async throws {
        try await withApp(flags) { try await body(JobRegister($0.database)) }
    }
}

extension JobStatus {
    fileprivate var line: String {
        let state = state.rawValue.padding(toLength: 9, withPad: " ", startingAt: 0)
        let error = self.error.map { "  \($0.prefix(100))" } ?? ""
        return "\(id)  \(Timestamp.text(createdAt))  \(state)  \(attempt)  \(kind)\(error)"
    }
}
