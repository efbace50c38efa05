// MartletSupervisor: worker processes, replaced one by one or when they crash, and what is known of a crash.
