namespace ShmCheck.Properties.Specification;

/// <summary>A scene with something of everything: normal segments with pages in states C, D, W
/// and S, a huge one, one that is charged by page and removed, one that is locked; private memory
/// that is locked.</summary>
internal static class Everything
{
    public const string Machine = "frames=64 hugepages=3 hugepage=8192 swap=8";

    public const string Calls =
        """
        p1 shmget(7, 16384, IPC_CREAT|0600) = s1
        p1 shmat(s1, @4, 0) = a1
        p1 store(a1, page 0, 0x1)
        p1 load(a1, page 1)
        p1 store(a1, page 2, 0x2)
        p1 store(a1, page 3, 0x3)
        env reclaim(s1, 2-3)
        p1 madvise(a1+8192, 4096, MADV_WILLNEED)
        p1 shmctl(s1, SHM_LOCK)
        p1 shmget(IPC_PRIVATE, 16384, SHM_HUGETLB|0600) = s2
        p1 shmat(s2, @64, 0) = a2
        p1 store(a2, hpage 0, 0x4)
        p1 shmget(IPC_PRIVATE, 8192, SHM_NORESERVE|0600) = s3
        p1 shmat(s3, @32, 0) = a3
        p1 store(a3, page 0, 0x5)
        p1 load(a3, page 1)
        p1 shmctl(s3, IPC_RMID)
        p1 shmget(IPC_PRIVATE, 4096, 0600) = s4
        p1 mmap(@16, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED) = a4
        p1 store(a4, page 0, 0x6)
        p1 mlock(a4, 4096)
        """;
}
