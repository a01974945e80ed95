using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>Decodes the calls on files, as far as they concern memory and settings.</summary>
internal static class FileDecoder
{
    /// <summary>F_DUPFD and F_DUPFD_CLOEXEC (linux/fcntl.h).</summary>
    private const ulong DuplicateCommand = 0;
    private const ulong DuplicateCloseOnExecCommand = 1030;

    /// <summary>creat(2) is open(2) with O_CREAT|O_WRONLY|O_TRUNC (fs/open.c).</summary>
    private const ulong CreateFlags = 0x241;

    public static SyscallArguments Decode(string name, ref ArgumentReader reader) => name switch
    {
        "open" => new OpenArguments(
            new FileDescriptor(FileDescriptor.WorkingDirectory), reader.Quoted(0),
            reader.Word(1, ConstantTable.Open)),
        "creat" => new OpenArguments(
            new FileDescriptor(FileDescriptor.WorkingDirectory), reader.Quoted(0),
            new FlagWord(CreateFlags)),
        "openat" => new OpenArguments(
            reader.Descriptor(0), reader.Quoted(1), reader.Word(2, ConstantTable.Open)),
        "openat2" => DecodeOpen2(ref reader),
        "close" => new CloseArguments(reader.Descriptor(0)),
        "dup" => new DupArguments(reader.Descriptor(0), null),
        "dup2" or "dup3" => new DupArguments(
            reader.Descriptor(0), reader.Descriptor(1).Number),
        "fcntl" or "fcntl64" => DecodeControl(ref reader),
        "write" => new WriteArguments(
            reader.Descriptor(0), reader.Quoted(1), reader.Number(2), null),
        "pwrite64" => new WriteArguments(
            reader.Descriptor(0), reader.Quoted(1), reader.Number(2), reader.Number(3)),
        "memfd_create" => new MemFdCreateArguments(
            reader.Quoted(0), reader.Word(1, ConstantTable.MemFd)),
        "ftruncate" or "ftruncate64" => new FTruncateArguments(
            reader.Descriptor(0), reader.Number(1)),
        "fallocate" => new FAllocateArguments(
            reader.Descriptor(0), reader.Word(1, ConstantTable.FAllocate), reader.Number(2),
            reader.Number(3)),
        "mount" => new MountArguments(
            reader.Quoted(0), reader.Quoted(1), reader.Quoted(2),
            reader.Word(3, ConstantTable.Mount), reader.Quoted(4)),
        "umount" => new UMountArguments(reader.Quoted(0), default),
        "umount2" => new UMountArguments(
            reader.Quoted(0), reader.Word(1, ConstantTable.Mount)),
        "swapon" => new SwapOnArguments(
            reader.Quoted(0), reader.Word(1, ConstantTable.SwapOn)),
        _ => new SwapOffArguments(reader.Quoted(0)),
    };

    private static OpenArguments DecodeOpen2(ref ArgumentReader reader)
    {
        StructText how = reader.Struct(2);
        if (!ConstantText.TryRead(how.Field("flags"), ConstantTable.Open, out FlagWord flags))
        {
            reader.Miss(2, "the structure open_how");
        }

        return new OpenArguments(reader.Descriptor(0), reader.Quoted(1), flags);
    }

    private static SyscallArguments DecodeControl(ref ArgumentReader reader)
    {
        FileDescriptor descriptor = reader.Descriptor(0);
        FlagWord command = reader.Word(1, ConstantTable.Open);
        bool duplicates = command.UnknownNames is null
            && command.Bits is DuplicateCommand or DuplicateCloseOnExecCommand;
        return duplicates
            ? new DupArguments(descriptor, reader.Int32(2)) : OtherArguments.Instance;
    }
}
