namespace ShmCheck.Abi;

/// <summary>Error numbers, named and numbered as on Linux/x86-64 (errno(3)).</summary>
public enum Errno
{
    /// <summary>No error.</summary>
    None = 0,
    /// <summary>Operation not permitted.</summary>
    EPERM = 1,
    /// <summary>No such file or directory; here: no segment with the key.</summary>
    ENOENT = 2,
    /// <summary>No such process.</summary>
    ESRCH = 3,
    /// <summary>Interrupted system call.</summary>
    EINTR = 4,
    /// <summary>Input/output error.</summary>
    EIO = 5,
    /// <summary>No such device or address.</summary>
    ENXIO = 6,
    /// <summary>Argument list too long.</summary>
    E2BIG = 7,
    /// <summary>Bad file descriptor.</summary>
    EBADF = 9,
    /// <summary>Resource temporarily unavailable; here: over RLIMIT_MEMLOCK while mapping.
    /// </summary>
    EAGAIN = 11,
    /// <summary>Not enough space.</summary>
    ENOMEM = 12,
    /// <summary>Permission denied.</summary>
    EACCES = 13,
    /// <summary>Bad address.</summary>
    EFAULT = 14,
    /// <summary>Device or resource busy.</summary>
    EBUSY = 16,
    /// <summary>File exists; here: the key is taken, or the range is.</summary>
    EEXIST = 17,
    /// <summary>No such device.</summary>
    ENODEV = 19,
    /// <summary>Invalid argument.</summary>
    EINVAL = 22,
    /// <summary>No space left on device; here: SHMMNI or SHMALL reached.</summary>
    ENOSPC = 28,
    /// <summary>Function not implemented.</summary>
    ENOSYS = 38,
    /// <summary>Identifier removed.</summary>
    EIDRM = 43,
    /// <summary>Value too large for defined data type.</summary>
    EOVERFLOW = 75,
    /// <summary>Operation not supported.</summary>
    EOPNOTSUPP = 95,
}

/// <summary>Signals that a touch of memory can raise.</summary>
public enum Signal
{
    /// <summary>No signal.</summary>
    None = 0,
    /// <summary>Bus error: beyond the object, no frame, no huge page.</summary>
    SIGBUS = 7,
    /// <summary>Killed.</summary>
    SIGKILL = 9,
    /// <summary>Segmentation violation: nothing mapped, or not with this right.</summary>
    SIGSEGV = 11,
}
