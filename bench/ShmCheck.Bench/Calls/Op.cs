using System.Runtime.InteropServices;

namespace ShmCheck.Bench.Calls;

/// <summary>What a call of a mix is; the numbers are those of <c>bench/live/loop.c</c>.</summary>
internal enum OpKind
{
    /// <summary>shmget of segment A with B pages, huge ones if C is not 0.</summary>
    Get,
    /// <summary>shmat of segment B as attach A.</summary>
    At,
    /// <summary>A write to page B of attach A, a huge one if C is not 0.</summary>
    Store,
    /// <summary>A read of page B of attach A, a huge one if C is not 0.</summary>
    Load,
    /// <summary>shmdt of attach A.</summary>
    Detach,
    /// <summary>IPC_RMID of segment A.</summary>
    Remove,
    /// <summary>IPC_STAT of segment A.</summary>
    Stat,
    /// <summary>SHM_INFO.</summary>
    Info,
    /// <summary>fork of a child that writes to page B of attach A and ends, and is waited for.
    /// </summary>
    Fork,
    /// <summary>MADV_PAGEOUT of C pages from page B of attach A on.</summary>
    PageOut,
}

/// <summary>One call of a mix, for our machine and for the kernel.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct Op(OpKind Kind, int A, int B, int C);
