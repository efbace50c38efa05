import Foundation
import MartletContract
import MartletCore
import MartletJobs
import MartletJobsAPI
public import MartletService
import MartletStorage

extension JobsService {
    /// What was done for somebody in the background. No foreign key says whose a job is, since the program has some of its own.
    public var personalData: [PersonalData] {
        [
            PersonalData("jobs", in: ["job"]) { [register] (owner, last: JobStatus?) in
                try await register.jobs(of: owner, after: last, limit: 100)
            } remove: { owner, transaction in
                try await JobRegister.remove(of: owner, in: transaction)
            }
        ]
    }
}
