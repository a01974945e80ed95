using ShmCheck.Abi;
using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>Decodes shmget, shmat, shmdt and shmctl, also as ipc(2) of 32-bit programs passes
/// them: strace prints those under their own names, but with <c>-e raw=</c> with the arguments of
/// ipc(2), of which there are four.</summary>
internal static class ShmDecoder
{
    private const int RawIpcArguments = 4;

    public static SyscallArguments Decode(string name, ref ArgumentReader reader) => name switch
    {
        "shmget" => new ShmGetArguments(
            new ShmKey(reader.KnownWord(0, ConstantTable.ShmGet)), reader.Number(1),
            new ShmGetFlags(reader.KnownWord(2, ConstantTable.ShmGet))),
        "shmat" => DecodeAttach(ref reader),
        "shmdt" => new ShmDtArguments(reader.Number(reader.Count == RawIpcArguments ? 3 : 0)),
        _ => DecodeControl(ref reader),
    };

    private static ShmAtArguments DecodeAttach(ref ArgumentReader reader)
    {
        bool isRawIpc = reader.Count == RawIpcArguments;
        return new ShmAtArguments(
            reader.Int32(0), reader.Number(isRawIpc ? 3 : 1),
            new ShmAtFlags(reader.KnownWord(isRawIpc ? 1 : 2, ConstantTable.ShmAt)), isRawIpc);
    }

    private static ShmCtlArguments DecodeControl(ref ArgumentReader reader)
    {
        int id = reader.Int32(0);
        int command = reader.KnownWord(1, ConstantTable.ShmCtl);
        int buffer = reader.Count == RawIpcArguments ? 3 : 2;
        if (!reader.Has(buffer))
        {
            // Never returned: the kernel did not fill it in, and strace did not print it.
            return new ShmCtlArguments(id, command, null);
        }

        StructText structure = reader.Struct(buffer);
        if (!structure.IsStruct)
        {
            return new ShmCtlArguments(id, command, reader.Number(buffer));
        }

        if ((command & ~ShmCtlArguments.Ipc64) == (int)ShmCommand.IPC_SET)
        {
            ShmChange change = DecodeChange(ref reader, structure, buffer);
            return new ShmCtlArguments(id, command, null, Change: change);
        }

        return new ShmCtlArguments(id, command, null, DecodeData(ref reader, structure, buffer));
    }

    private static ReplyData? DecodeData(
        ref ArgumentReader reader, in StructText structure, int index)
    {
        if (!structure.Field("shm_perm").IsEmpty)
        {
            return DecodeStat(ref reader, structure, index);
        }

        if (!structure.Field("shmmax").IsEmpty)
        {
            return new ShmLimits(
                reader.Field(structure, "shmmax", index), reader.Field(structure, "shmmin", index),
                reader.Field(structure, "shmmni", index), reader.Field(structure, "shmseg", index),
                reader.Field(structure, "shmall", index));
        }

        if (!structure.Field("used_ids").IsEmpty)
        {
            return new ShmTotals(
                reader.Field(structure, "used_ids", index),
                reader.Field(structure, "shm_tot", index),
                reader.Field(structure, "shm_rss", index),
                reader.Field(structure, "shm_swp", index));
        }

        reader.Miss(index, "shmid_ds, shminfo or shm_info");
        return null;
    }

    private static SegmentStat DecodeStat(
        ref ArgumentReader reader, in StructText structure, int index)
    {
        var permissions = new StructText(structure.Field("shm_perm"));
        return new SegmentStat(
            Int32(ref reader, permissions, "key", index),
            Int32(ref reader, permissions, "uid", index),
            Int32(ref reader, permissions, "gid", index),
            Int32(ref reader, permissions, "cuid", index),
            Int32(ref reader, permissions, "cgid", index),
            Int32(ref reader, permissions, "mode", index),
            reader.Field(structure, "shm_segsz", index),
            Int32(ref reader, structure, "shm_cpid", index),
            Int32(ref reader, structure, "shm_lpid", index),
            reader.Field(structure, "shm_nattch", index),
            StampOf(ref reader, structure, "shm_atime", index),
            StampOf(ref reader, structure, "shm_dtime", index),
            StampOf(ref reader, structure, "shm_ctime", index));
    }

    private static ShmChange DecodeChange(
        ref ArgumentReader reader, in StructText structure, int index)
    {
        var permissions = new StructText(structure.Field("shm_perm"));
        return new ShmChange(
            Int32(ref reader, permissions, "uid", index),
            Int32(ref reader, permissions, "gid", index),
            Int32(ref reader, permissions, "mode", index));
    }

    private static Stamp StampOf(
        ref ArgumentReader reader, in StructText structure, string name, int index) =>
        Stamp.At(unchecked((long)reader.Field(structure, name, index)));

    private static int Int32(
        ref ArgumentReader reader, in StructText structure, string name, int index) =>
        unchecked((int)reader.Field(structure, name, index));
}
