// nextflow run examples/nextflow -profile docker --input samples.csv --outdir denoised
// with one of the profiles conda, docker and apptainer, unless autodip is installed.
// samples.csv has the columns id, image and, if known, microscope and specimen.

include { AUTODIP_DENOISE } from './modules/autodip/denoise/main'

params.input = null
params.outdir = 'denoised'

workflow {
    samples = Channel.fromPath(params.input)
        .splitCsv(header: true)
        .map { row -> tuple([id: row.id, microscope: row.microscope, specimen: row.specimen], file(row.image)) }

    AUTODIP_DENOISE(samples)
}
